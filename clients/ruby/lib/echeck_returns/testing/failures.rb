# frozen_string_literal: true

require "grpc"
require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "google/rpc/status_pb"

module EcheckReturns
  module Testing
    # Makes errors as the service does: with google.rpc details.
    # @api private
    module Failures
      CODES = %i[ok canceled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied
                 resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable
                 data_loss unauthenticated].freeze
      private_constant :CODES

      module_function

      # @return [GRPC::BadStatus]
      def error(code, message: "a failure of the fake server", reason: code.to_s.upcase, domain: "echeck-returns",
                metadata: {}, field_violations: {}, retry_after: nil)
        details = []
        details << pack(Google::Rpc::ErrorInfo.new(reason: reason, domain: domain, metadata: metadata)) if reason
        unless field_violations.empty?
          faults = field_violations.map { |field, what| { field: field.to_s, description: what } }
          faults = faults.map { |one| Google::Rpc::BadRequest::FieldViolation.new(**one) }
          details << pack(Google::Rpc::BadRequest.new(field_violations: faults))
        end
        details << pack(Google::Rpc::RetryInfo.new(retry_delay: duration(retry_after))) if retry_after
        number = CODES.index(code) or raise ArgumentError, "#{code.inspect} is not a code of gRPC"
        status = Google::Rpc::Status.new(code: number, message: message, details: details)
        trailers = details.empty? ? {} : { "grpc-status-details-bin" => status.to_proto }
        GRPC::BadStatus.new_status_exception(number, message, trailers)
      end

      def pack(message)
        Google::Protobuf::Any.new.tap { |any| any.pack(message) }
      end

      def duration(seconds)
        whole = seconds.floor
        Google::Protobuf::Duration.new(seconds: whole, nanos: ((seconds - whole) * 1e9).round)
      end
    end
  end
end
