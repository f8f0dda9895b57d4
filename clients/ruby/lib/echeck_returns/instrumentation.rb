# frozen_string_literal: true

module EcheckReturns
  # What others see of a call.
  #
  # ActiveSupport::Notifications has the event "call.echeck_returns", with rpc:, code: (:ok, or that
  # of the error), attempts: or messages:, and exception: as usual. A token is never part of it.
  # When OpenTelemetry is loaded, the current trace continues in the service.
  # @api private
  module Instrumentation
    EVENT = "call.echeck_returns"

    module_function

    def call(rpc)
      payload = { rpc: rpc, code: :ok }
      return yield(payload) unless defined?(ActiveSupport::Notifications)

      ActiveSupport::Notifications.instrument(EVENT, payload) do
        yield payload
      rescue Error => e
        payload[:code] = e.is_a?(CallError) ? e.code : :unknown
        raise
      end
    end

    # @return [Hash] the header traceparent (W3C Trace Context), when there is a trace
    def trace_headers
      headers = {}
      if defined?(::OpenTelemetry) && ::OpenTelemetry.respond_to?(:propagation)
        ::OpenTelemetry.propagation.inject(headers)
      end
      # gRPC takes lower case alone.
      headers.transform_keys { |name| name.to_s.downcase }
    end
  end
end
