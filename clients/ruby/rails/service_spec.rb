# frozen_string_literal: true

require "stringio"

# The client and the real service.
RSpec.describe EcheckReturns::Client, "with the real service" do
  def client(**settings)
    configuration = EcheckReturns::Configuration.new
    configuration.address = "https://127.0.0.1:#{Proof.suite.port}"
    configuration.ca_file = Proof.suite.path("ca.pem")
    configuration.token = Suite.token("rails")
    settings.each { |name, value| configuration.public_send(:"#{name}=", value) }
    described_class.new(configuration)
  end

  let(:rails) { client }
  let(:admin) { client(token: Suite.token("admin")) }

  before(:context) do
    @file = Proof.file("wednesday", "TR1" => "R01", "TRnone" => "R01")
    @result = client.import_file(Pathname(@file), source: "worldpay_returns")
  end

  it "imports a file, and knows it again" do
    expect(@result.import).to be_applied
    expect(@result.import.totals.read.count).to eq 2
    again = rails.import_file(Pathname(@file), source: "worldpay_returns")
    expect(again).to be_duplicate_file
    expect(again.import.id).to eq @result.import.id
    expect(rails.import(again.import.id)).to eq again.import
    expect(rails.each_import(source: "worldpay_returns").map(&:id)).to include(again.import.id)
  end

  it "says why a file is rejected" do
    result = rails.import_file(StringIO.new("not,a,return\nfile,at,all\n"), source: "worldpay_returns", file_name: "r.csv")
    expect(result.import).to be_rejected
    expect(result.import.rejection.message).not_to be_empty
  end

  it "leaves nothing behind when the file cannot be read to its end" do
    broken = StringIO.new("Case ID,Worldpay Payment ID\n")
    def broken.read(*)
      eof? ? raise(IOError, "the disk is gone") : super
    end
    before = rails.each_import.count
    expect { rails.import_file(broken, source: "worldpay_returns", file_name: "half.csv") }.to raise_error(IOError)
    expect(rails.each_import.count).to eq before
    expect(rails.each_import.map(&:file_name)).not_to include("half.csv")
  end

  it "repeats a request, and is refused when the same request_id has other arguments" do
    first, second = Array.new(2) do
      rails.import_file(StringIO.new("a,b\n"), source: "worldpay_returns", file_name: "a.csv", request_id: "proof-1", wait: nil)
    end
    expect(second.import.id).to eq first.import.id
    expect { rails.import_file(StringIO.new("c,d\n"), source: "worldpay_returns", file_name: "b.csv", request_id: "proof-1") }
      .to raise_error(EcheckReturns::AlreadyExists) { |error| expect(error.reason).to eq "REQUEST_ID_USED" }
  end

  it "gets a transfer in every view" do
    expect(rails.transfer("TR1").ach_return).to have_attributes(return_code: "R01", effect: :return)
    expect(rails.transfer(trace_id: "FNXTR1", view: :rainforest, api_version: "2024-10-16").state).to eq "RETURNED"
    expect(rails.transfer("TR1", view: :rainforest, api_version: "2023-12-01").state).to eq "SUCCEEDED"
  end

  it "gets many transfers at once" do
    batch = rails.transfers(%w[TR1 TRnone TR6])
    expect(batch["TR1"]).to have_ach_return
    expect(batch["TR6"]).not_to have_ach_return
    expect(batch.missing.map { |one| [one.key, one.error.not_found?] }).to eq [["TRnone", true]]
    expect(rails.transfers(%w[TR1 TR6] * 600).found.size).to eq 1_200
  end

  it "carries the service's details in an error" do
    expect { rails.transfer("TRnone") }.to raise_error(EcheckReturns::NotFound) do |error|
      expect(error).to have_attributes(reason: "NOT_FOUND", domain: "echeck-returns")
    end
    expect { rails.transfer("TR1", view: :rainforest, api_version: "1999-01-01") }
      .to raise_error(EcheckReturns::InvalidArgument) do |error|
        expect(error.field_violations.map(&:field)).to eq ["api_version"]
      end
  end

  it "lists returns and gets one" do
    found = rails.each_return(since: Time.now - 3_600, page_size: 1).to_a
    expect(found.map(&:transfer_id)).to include("TR1", "TR2")
    one = rails.ach_return(found.first.id)
    expect(one).to have_attributes(id: found.first.id, decided_at: found.first.decided_at, position: found.first.position)
    expect(one.databases.map(&:database)).to include("gateway", "postgres_eft")
    expect(rails.each_return(transfer_id: "TR1").map(&:return_code).to_a).to eq ["R01"]
  end

  it "streams returns from any position" do
    positions = rails.stream_returns.first(2).map(&:position)
    expect(rails.stream_returns(after: positions.first).first.position).to eq positions.last
    beyond = begin
      rails.stream_returns(after: 1_000_000).first
    rescue EcheckReturns::OutOfRange => e
      e.reason
    end
    expect(beyond).to eq "BEYOND_HEAD"
  end

  it "gets a hold, and closes it with the role for it" do
    hold = admin.each_hold(reason: :unknown_transfer).first
    expect(hold).to be_open
    expect { rails.dismiss_hold(hold.id, note: "a test") }.to raise_error(EcheckReturns::PermissionDenied) do |error|
      expect(error).to have_attributes(reason: "ROLE_MISSING", domain: "echeck-server")
    end
    expect(admin.dismiss_hold(hold.id, note: "a test").hold.state).to eq :dismissed
    expect(admin.hold(hold.id).note).to eq "a test"
  end

  it "is refused with a wrong token, and does not talk to a service of an unknown CA" do
    wrong = client(token: "a-wrong-token")
    expect { wrong.transfer("TR1") }.to raise_error(EcheckReturns::Unauthenticated) do |error|
      expect(error.full_message).not_to include("a-wrong-token")
    end
    File.write(Proof.suite.path("other.pem"), Authority.new("another CA").pem)
    stranger = client(ca_file: Proof.suite.path("other.pem"), max_attempts: 1)
    expect { stranger.transfer("TR1") }.to raise_error(EcheckReturns::Unavailable)
    stranger.close
  end

  it "does not wait longer than its deadline" do
    expect { client(timeout: 0.000_1).transfer("TR1") }.to raise_error(EcheckReturns::DeadlineExceeded)
  end
end
