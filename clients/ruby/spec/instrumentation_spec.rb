# frozen_string_literal: true

require "open3"

RSpec.describe EcheckReturns::Instrumentation do
  include Servers

  def events
    found = []
    ActiveSupport::Notifications.subscribed(proc { |event| found << event }, "call.echeck_returns") { yield }
    found
  end

  it "announces each call once, with its attempts" do
    server.add_transfer(id: "TR1")
    server.fail(:get_transfer, :unavailable)
    seen = events { client.transfer("TR1") }
    expect(seen.map(&:payload)).to eq [{ rpc: :get_transfer, code: :ok, attempts: 2 }]
    expect(seen.first.duration).to be > 0
  end

  it "announces how a call failed" do
    seen = events { error_of { client.transfer("TR1") } }
    expect(seen.first.payload).to include(rpc: :get_transfer, code: :not_found)
    expect(seen.first.payload[:exception].first).to eq "EcheckReturns::NotFound"
  end

  it "counts the messages of a stream" do
    server.add_import(import_id: "imp_1", state: :applied)
    expect(events { client.watch_import("imp_1") { nil } }.first.payload).to include(rpc: :watch_import, messages: 1)
  end

  it "continues the trace of OpenTelemetry, and sends no header without it" do
    server.add_transfer(id: "TR1")
    client.transfer("TR1")
    propagation = Object.new
    def propagation.inject(carrier)
      carrier["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    end
    stub_const("OpenTelemetry", Module.new { define_singleton_method(:propagation) { propagation } })
    client.transfer("TR1")
    expect(server.calls.map { |call| call.metadata["traceparent"] })
      .to eq [nil, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
  end

  # Rubygems has the SDK, and Debian does not: `gem install opentelemetry-sdk`.
  it "continues a span of the OpenTelemetry SDK" do
    program = File.expand_path("programs/traced.rb", __dir__)
    output, status = Open3.capture2e("ruby", "-I", File.expand_path("../lib", __dir__), program)
    skip "opentelemetry-sdk is not installed" if output.include?("cannot load such file -- opentelemetry-sdk")
    expect(status).to be_success, output
    span, header = output.lines.last(2).map(&:strip)
    expect(header).to eq "00-#{span}-01"
  end
end
