# frozen_string_literal: true

require "grpc"
require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "echeck_returns/errors"

module EcheckReturns
  # Turns an error of gRPC into one of this gem, with the details that the service sends in
  # grpc-status-details-bin.
  # @api private
  module ErrorDetails
    CODES = {
      1 => [:canceled, Canceled], 2 => [:unknown, UnknownError],
      3 => [:invalid_argument, InvalidArgument], 4 => [:deadline_exceeded, DeadlineExceeded],
      5 => [:not_found, NotFound], 6 => [:already_exists, AlreadyExists],
      7 => [:permission_denied, PermissionDenied], 8 => [:resource_exhausted, ResourceExhausted],
      9 => [:failed_precondition, FailedPrecondition], 10 => [:aborted, Aborted],
      11 => [:out_of_range, OutOfRange], 12 => [:unimplemented, Unimplemented],
      13 => [:internal, Internal], 14 => [:unavailable, Unavailable], 15 => [:data_loss, DataLoss],
      16 => [:unauthenticated, Unauthenticated]
    }.freeze
    private_constant :CODES

    module_function

    # @param status [GRPC::BadStatus]
    # @param rpc [Symbol]
    # @return [CallError]
    def error(status, rpc)
      code, type = CODES.fetch(status.code, CODES.fetch(2))
      type.new("#{rpc}: #{text(status)}", code: code, rpc: rpc, **details(status))
    end

    # The text of gRPC also has a debug string, which helps nobody who reads it.
    def text(status)
      words = status.details.to_s.dup.force_encoding(Encoding::UTF_8).scrub
      words.empty? ? "no message" : words
    end

    def details(status)
      found = {}
      unpacked(status).each do |one|
        case one
        when Google::Rpc::ErrorInfo
          found.update(reason: one.reason, domain: one.domain, metadata: one.metadata.to_h)
        when Google::Rpc::BadRequest
          found[:field_violations] = one.field_violations.map do |fault|
            FieldViolation.new(field: fault.field, description: fault.description).freeze
          end
        when Google::Rpc::RetryInfo
          delay = one.retry_delay
          found[:retry_after] = delay.seconds + delay.nanos / 1e9 if delay
        end
      end
      found
    end

    # Details that cannot be read are worth less than the error itself, so they never hide it.
    def unpacked(status)
      rpc_status = status.to_rpc_status
      return [] unless rpc_status

      types = [Google::Rpc::ErrorInfo, Google::Rpc::BadRequest, Google::Rpc::RetryInfo]
      rpc_status.details.filter_map do |any|
        type = types.find { |one| any.is(one) }
        type && any.unpack(type)
      rescue Google::Protobuf::ParseError
        nil
      end
    end
  end
end
