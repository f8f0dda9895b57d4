# frozen_string_literal: true

# A call within a span of OpenTelemetry itself. Prints the trace of the span, and the header that the
# server got.
require "opentelemetry-sdk"
require "echeck_returns"

ENV["OTEL_TRACES_EXPORTER"] = "none"
OpenTelemetry::SDK.configure
server = EcheckReturns::Testing.start
server.add_transfer(id: "TR1")
configuration = EcheckReturns::Configuration.new
configuration.address = server.address
client = EcheckReturns::Client.new(configuration)
OpenTelemetry.tracer_provider.tracer("app").in_span("page") do |span|
  client.transfer("TR1")
  puts "#{span.context.hex_trace_id}-#{span.context.hex_span_id}"
end
puts server.calls.first.metadata["traceparent"]
server.stop
