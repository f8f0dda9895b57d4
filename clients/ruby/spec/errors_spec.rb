# frozen_string_literal: true

RSpec.describe EcheckReturns::CallError do
  include Servers

  before { server.add_transfer(id: "TR1") }

  it "carries the wrong fields" do
    server.fail(:get_transfer, :invalid_argument, message: "api_version: is unknown",
                                                  field_violations: { api_version: "is unknown" })
    expect { client.transfer("TR1") }.to raise_error(EcheckReturns::InvalidArgument) do |error|
      expect(error.field_violations.map(&:to_h)).to eq [{ field: "api_version", description: "is unknown" }]
      expect(error.reason).to eq "INVALID_ARGUMENT"
    end
  end

  it "has a class for each code" do
    codes = { canceled: "Canceled", unknown: "UnknownError", deadline_exceeded: "DeadlineExceeded",
              already_exists: "AlreadyExists", permission_denied: "PermissionDenied",
              failed_precondition: "FailedPrecondition", aborted: "Aborted", out_of_range: "OutOfRange",
              unimplemented: "Unimplemented", internal: "Internal", data_loss: "DataLoss",
              unauthenticated: "Unauthenticated", resource_exhausted: "ResourceExhausted" }
    codes.each do |code, name|
      server.fail(:get_transfer, code)
      expect(error_of { client.transfer("TR1") }).to be_instance_of(EcheckReturns.const_get(name))
    end
    expect(server.calls.size).to eq codes.size
  end

  it "survives an error without details, and one whose details are no protobuf" do
    server.fail(:get_transfer, :internal, reason: nil)
    expect(error_of { client.transfer("TR1") }).to have_attributes(reason: nil, metadata: {}, field_violations: [])
    inside = Google::Protobuf::Any.new(type_url: "type.googleapis.com/google.rpc.ErrorInfo", value: "\xFF\xFF".b)
    broken = ["\xFF\xFF\xFF".b, Google::Rpc::Status.new(code: 13, details: [inside]).to_proto]
    broken.each do |details|
      server.answer(:get_transfer) { raise GRPC::Internal.new("it broke", { "grpc-status-details-bin" => details }) }
      expect(error_of { client.transfer("TR1") }).to have_attributes(code: :internal, reason: nil)
    end
  end

  it "tries again what is unavailable, with growing pauses that differ" do
    pauses = []
    server.fail(:get_transfer, :unavailable, times: 3)
    expect(client_for(server, pauses: pauses).transfer("TR1").id).to eq "TR1"
    expect(pauses.size).to eq 3
    expect(pauses[0]).to be_between(0.05, 0.1)
    expect(pauses[1]).to be_between(0.1, 0.2)
    expect(pauses[2]).to be_between(0.2, 0.4)
  end

  it "gives up after max_attempts" do
    server.fail(:get_transfer, :unavailable, times: 9, reason: "STOPPING", domain: "echeck-server")
    expect(error_of { client_for(server, max_attempts: 3).transfer("TR1") })
      .to have_attributes(reason: "STOPPING", domain: "echeck-server")
    expect(server.calls.size).to eq 3
  end

  it "waits as long as a full service says" do
    pauses = []
    server.fail(:get_transfer, :resource_exhausted, retry_after: 1.5)
    expect(client_for(server, pauses: pauses).transfer("TR1").id).to eq "TR1"
    expect(pauses.first).to be_between(1.5, 1.6)
  end

  it "does not wait longer than its deadline" do
    pauses = []
    server.fail(:get_transfer, :resource_exhausted, retry_after: 60)
    expect(error_of { client_for(server, pauses: pauses).transfer("TR1") }).to have_attributes(retry_after: 60.0)
    expect(pauses).to be_empty
  end

  it "repeats a change with the same request_id" do
    server.add_hold(hold_id: "hold_1")
    server.fail(:resolve_hold, :unavailable, times: 2)
    client.dismiss_hold("hold_1", note: "a test")
    ids = server.calls(:resolve_hold).map { |call| call.request.request_id }
    expect(ids.size).to eq 3
    expect(ids.uniq.size).to eq 1
  end

  it "says that the service is older and does not have a call" do
    server.fail(:get_hold, :unimplemented)
    expect { client.hold("hold_1") }.to raise_error(EcheckReturns::Unimplemented)
  end
end
