# frozen_string_literal: true

RSpec.describe EcheckReturns::Client, "transfers" do
  include Servers

  before do
    server.add_transfer(id: "TR1", trace_id: "FNX1", amount_minor: 1_250, fee_minor: 30, tags: { "order" => "7" },
                        created_at: Time.utc(2026, 3, 2, 14, 5, 6.25r), messages: ["a message"],
                        ach_return: { return_code: "R01", effect: :reverse, stage: :created, amount_minor: 1_250,
                                      settlement_date: Date.new(2026, 3, 4), decided_at: Time.utc(2026, 3, 5),
                                      databases: [{ database: "gateway", state: :applied }] })
  end

  it "gets a transfer by its id, with Ruby's own values" do
    transfer = client.transfer("TR1")
    expect(transfer).to have_attributes(id: "TR1", state: "SUCCEEDED", has_ach_return?: true, parent_id: nil,
                                        tags: { "order" => "7" }, messages: ["a message"],
                                        created_at: Time.utc(2026, 3, 2, 14, 5, 6.25r), ready_to_settle_at: nil)
    expect(transfer.amount).to eq EcheckReturns::Money.new(1_250, "USD")
    expect(transfer.amount.to_d).to eq BigDecimal("12.5")
    expect(transfer.fee.to_s).to eq "0.30 USD"
    expect(transfer.ach_return).to have_attributes(effect: :reverse, stage: :created, timeliness: nil, line: nil,
                                                   settlement_date: Date.new(2026, 3, 4), deadline: nil,
                                                   represent_attempts_left: nil)
    expect(transfer.ach_return.databases.first).to be_applied
  end

  it "gets a transfer by its trace id, as a platform shows it" do
    expect(client.transfer(trace_id: "FNX1", view: :rainforest, api_version: "2024-10-16").id).to eq "TR1"
    request = server.calls(:get_transfer).last.request
    expect(request).to have_attributes(key: :trace_id, view: :TRANSFER_VIEW_RAINFOREST, api_version: "2024-10-16")
  end

  it "refuses a wrong call without asking the service" do
    expect { client.transfer }.to raise_error(ArgumentError, /transfer_id and trace_id/)
    expect { client.transfer("TR1", trace_id: "FNX1") }.to raise_error(ArgumentError)
    expect { client.transfer("TR1", view: :stripe) }.to raise_error(ArgumentError, /:finix, :rainforest/)
    expect { client.transfer(17) }.to raise_error(ArgumentError)
    expect(server.calls).to be_empty
  end

  it "says what is not there" do
    expect { client.transfer("TR2") }.to raise_error(EcheckReturns::NotFound) do |error|
      expect(error).to have_attributes(code: :not_found, reason: "NOT_FOUND", domain: "echeck-returns",
                                       metadata: { "resource" => "transfer", "id" => "TR2" }, rpc: :get_transfer)
      expect(error.message).to eq 'get_transfer: there is no transfer "TR2"'
    end
  end

  it "gets values that never change" do
    transfer = client.transfer("TR1")
    expect(transfer).to be_frozen
    expect { transfer.tags["order"] = "8" }.to raise_error(FrozenError)
    expect { transfer.id << "x" }.to raise_error(FrozenError)
    expect(transfer).to eq client.transfer("TR1")
    expect(transfer.to_h[:ach_return][:databases].first[:database]).to eq "gateway"
    case transfer
    in { ach_return: { return_code: } } then expect(return_code).to eq "R01"
    end
  end

  it "gets 10,000 transfers in calls of 500, in the order of the ids" do
    server.add_transfer(id: "TR2", trace_id: "FNX2")
    ids = Array.new(10_000) { |number| number == 7_777 ? "none" : "TR2" }
    batch = client.transfers(ids)
    expect(batch.size).to eq 10_000
    expect(batch.map(&:key)).to eq ids
    expect(batch.missing.map(&:key)).to eq ["none"]
    expect(batch.missing.first.error).to be_not_found
    expect(batch["TR2"].trace_id).to eq "FNX2"
    expect(server.calls(:batch_get_transfers).map { |call| call.request.selectors.size }).to eq [500] * 20
  end

  it "asks nothing for no ids" do
    expect(client.transfers([]).to_a).to eq []
    expect(server.calls).to be_empty
  end

  it "mixes ids and trace ids" do
    expect(client.transfers(["TR1"], trace_ids: ["FNX1"]).map { |one| one.transfer.id }).to eq %w[TR1 TR1]
  end

  it "halves a batch whose answer is larger than a message may be" do
    large = "x" * 60_000
    20.times { |number| server.add_transfer(id: "L#{number}", raw_json: large) }
    small = client_for(server, max_message_bytes: 400_000)
    expect(small.transfers(Array.new(20) { |number| "L#{number}" }).found.size).to eq 20
    expect(server.calls(:batch_get_transfers).size).to be > 2
  end

  it "gets an answer that is larger than 4 MiB" do
    server.add_transfer(id: "LARGE", raw_json: "x" * 6_000_000)
    expect(client.transfer("LARGE").raw_json.size).to eq 6_000_000
  end

  it "says that an answer is larger than max_message_bytes, and does not ask again" do
    server.add_transfer(id: "LARGE", raw_json: "x" * 200_000)
    small = client_for(server, max_message_bytes: 100_000)
    expect { small.transfer("LARGE") }.to raise_error(EcheckReturns::ResourceExhausted, /larger than max/i)
    expect(server.calls.size).to eq 1
  end

  it "does not take fewer answers than it asked for" do
    server.answer(:batch_get_transfers) { Echeck::Returns::V1::BatchGetTransfersResponse.new }
    expect { client.transfers(%w[TR1]) }.to raise_error(EcheckReturns::ProtocolError, /0 answers to 1 keys/)
  end
end
