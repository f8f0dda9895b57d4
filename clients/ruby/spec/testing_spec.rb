# frozen_string_literal: true

RSpec.describe EcheckReturns::Testing do
  include Servers

  it "stops by itself after a block, and lets nobody hang" do
    kept = nil
    described_class.start do |server|
      kept = server
      server.hang(:get_transfer)
      EcheckReturns.configure { |c| c.address = server.address }
      caller = Thread.new { error_of { EcheckReturns.transfer("TR1") } }
      eventually("the call comes") { server.calls(:get_transfer).any? }
      server.stop
      expect(caller.value).to be_a(EcheckReturns::CallError)
    end
    kept.stop # again, which does nothing
    EcheckReturns.configure { |c| c.max_attempts = 1 }
    expect { EcheckReturns.transfer("TR1") }.to raise_error(EcheckReturns::Unavailable)
  end

  it "refuses a fixture with a field that the service does not have" do
    expect { server.add_transfer(id: "TR1", color: "red") }.to raise_error(ArgumentError, /no field color/)
    expect { server.add_hold(hold_id: "h", reason: :bored) }.to raise_error(ArgumentError, /:bored is not one of/)
    expect { server.fail(:get_transfer, :tired) }.to raise_error(ArgumentError, /:tired is not a code/)
    @started << server
  end

  it "does everything that the client asks for" do
    ours = EcheckReturns::Testing.const_get(:FakeService).public_instance_methods(false)
    asked = File.read(File.expand_path("../lib/echeck_returns/client.rb", __dir__)).scan(/(?:call|list)\(:(\w+)/).flatten
    expect(ours).to include(*asked.map(&:to_sym), :import_file, :watch_import, :stream_returns)
  end

  it "survives a fork of the process that it runs in" do
    server.add_transfer(id: "TR1")
    expect(client.transfer("TR1").id).to eq "TR1"
    child = fork do
      at_exit { exit!(client.transfer("TR1").id == "TR1" ? 0 : 1) }
      exit
    end
    expect(Process.wait2(child).last.exitstatus).to eq 0
    expect(client.transfer("TR1").id).to eq "TR1"
  end
end
