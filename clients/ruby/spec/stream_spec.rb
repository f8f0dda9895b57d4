# frozen_string_literal: true

RSpec.describe EcheckReturns::Client, "#stream_returns" do
  include Servers

  def add(count)
    count.times { server.add_return(return_code: "R01") }
  end

  it "sends what was decided, and then what is decided" do
    add(2)
    seen = []
    client.stream_returns do |streamed|
      seen << [streamed.position, streamed.ach_return.return_code]
      add(1) if seen.size == 2
      break if seen.size == 3
    end
    expect(seen).to eq [[1, "R01"], [2, "R01"], [3, "R01"]]
  end

  it "continues by itself: nothing is missed, and nothing comes twice" do
    add(2)
    server.fail(:stream_returns, :unavailable, times: 2)
    positions = []
    client.stream_returns(after: 1) do |streamed|
      positions << streamed.position
      server.cut_streams if streamed.position.even?
      add(1)
      break if positions.size == 8
    end
    expect(positions).to eq (2..9).to_a
    asked = server.calls(:stream_returns).map { |call| [call.request.after_position, call.request.journal_id] }
    expect(asked.first(3)).to eq [[1, ""]] * 3
    expect(asked.drop(3)).to include([2, "the-journal"], [4, "the-journal"])
  end

  it "yields heartbeats to those who store positions" do
    add(1)
    seen = client.stream_returns(after: 1, heartbeat: 1, heartbeats: true).first
    expect(seen).to have_attributes(heartbeat?: true, position: 1, journal_id: "the-journal")
    expect(server.calls.last.request.heartbeat_ms).to eq 1_000
  end

  it "can be left and taken up again" do
    add(3)
    expect(client.stream_returns.lazy.map(&:position).first(2)).to eq [1, 2]
    expect(client.stream_returns(after: 2, journal_id: "the-journal").first.position).to eq 3
  end

  it "notices a service that says nothing" do
    asked = 0
    server.answer(:stream_returns) do
      asked += 1
      next if asked > 1

      Enumerator.new { |out| server.state.follow { out << Echeck::Returns::V1::StreamReturnsResponse.new(position: 0) } }
    end
    add(1)
    # Twice the heartbeat and 5 seconds would be long for a test.
    stub_const("EcheckReturns::ReturnStream::ALLOWANCE", 0.2)
    expect(client.stream_returns(heartbeat: 0.1).first.position).to eq 1
    expect(asked).to eq 2
  end

  it "gives up when the service stays away for longer than its patience" do
    hasty = client_for(nobody, stream_patience: 0.2)
    expect { hasty.stream_returns { nil } }.to raise_error(EcheckReturns::Unavailable)
  end

  it "does not try again what will not be better" do
    server.fail(:stream_returns, :out_of_range, reason: "BEYOND_HEAD")
    expect { client.stream_returns(after: 99).first }.to raise_error(EcheckReturns::OutOfRange) do |error|
      expect(error.reason).to eq "BEYOND_HEAD"
    end
    server.fail(:stream_returns, :internal)
    expect { client.stream_returns.first }.to raise_error(EcheckReturns::Internal)
    expect(server.calls.size).to eq 2
  end

  it "does not take a position twice from a confused service" do
    server.answer(:stream_returns) do
      [2, 1].map { |position| Echeck::Returns::V1::StreamReturnsResponse.new(position: position, ach_return: {}) }
    end
    expect { client.stream_returns { nil } }.to raise_error(EcheckReturns::ProtocolError, /position 1 came after 2/)
  end
end
