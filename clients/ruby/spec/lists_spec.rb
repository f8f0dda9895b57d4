# frozen_string_literal: true

RSpec.describe EcheckReturns::Client, "lists" do
  include Servers

  it "reads a page only when somebody wants it" do
    7.times { |number| server.add_return(return_code: "R0#{number}", decided_at: Time.utc(2026, 1, 1 + number)) }
    returns = client.each_return(page_size: 2)
    expect(server.calls).to be_empty
    expect(returns.first(3).map(&:return_code)).to eq %w[R06 R05 R04]
    expect(server.calls.size).to eq 2
    expect(returns.map(&:position).to_a).to eq [7, 6, 5, 4, 3, 2, 1]
  end

  it "restricts a list by times, enums and amounts" do
    expect(client.each_return(since: Time.utc(2026, 1, 2), before: Date.new(2026, 2, 1), effect: :reverse,
                              merchant_identity: "ID1", min_amount_minor: 0).to_a).to eq []
    request = server.calls.first.request
    expect(request.decided_from.seconds).to eq Time.utc(2026, 1, 2).to_i
    expect(request.decided_before.seconds).to eq Time.utc(2026, 2, 1).to_i
    expect(request).to have_attributes(effect: :EFFECT_REVERSE, merchant_identity: "ID1", page_size: 500)
    expect(request.has_min_amount_minor?).to be_truthy
    expect(request.has_max_amount_minor?).to be_falsy
    expect { client.each_return(color: "red") }.to raise_error(ArgumentError, "unknown keyword: :color")
  end

  it "yields each element to a block" do
    server.add_import(import_id: "imp_1", state: :rejected, rejection: { message: "no columns" })
    found = []
    client.each_import(source: "worldpay") { |import| found << import }
    expect(found.first).to be_rejected
    expect(found.first.rejection.message).to eq "no columns"
  end

  it "ends when the service sends the same page token again" do
    server.answer(:list_returns) do |request|
      token = request.page_token == "a" ? "b" : "a"
      Echeck::Returns::V1::ListReturnsResponse.new(next_page_token: token, ach_returns: [{ return_code: "R01" }])
    end
    expect { client.each_return.to_a }.to raise_error(EcheckReturns::PageTokenLoop)
    expect(server.calls.size).to eq 3
  end

  it "gets a hold, retries it, and dismisses it" do
    server.add_hold(hold_id: "hold_1", reason: :unknown_transfer, amount_minor: 500, keys: { "payment_id" => "84" })
    expect(client.hold("hold_1")).to have_attributes(reason: :unknown_transfer, keys: { "payment_id" => "84" }, open?: true)
    expect(client.each_hold.map(&:id).to_a).to eq ["hold_1"]
    expect(client.retry_hold("hold_1", transfer_id: "TR1").hold.state).to eq :resolved
    expect(client.dismiss_hold("hold_1", note: "a test").hold).to have_attributes(state: :dismissed, note: "a test")
    retried, dismissed = server.calls(:resolve_hold).map(&:request)
    expect(retried.retry_hold.transfer_id).to eq "TR1"
    expect(dismissed.action).to eq :dismiss_hold
    expect([retried.request_id, dismissed.request_id].uniq.grep(/\A\h{8}-/).size).to eq 2
  end
end
