# frozen_string_literal: true

module EcheckReturns
  # Every error of this gem.
  class Error < StandardError; end

  # A setting is missing or wrong. The message names it, and never shows a secret.
  class ConfigurationError < Error; end

  # The service answered something that its contract does not allow.
  class ProtocolError < Error; end

  # One field of a request that is wrong, and what it should be.
  FieldViolation = Struct.new(:field, :description, keyword_init: true)

  # A call failed. The classes below say how, by the code of gRPC.
  class CallError < Error
    # @return [Symbol] the code of gRPC, such as :not_found
    attr_reader :code
    # @return [String, nil] the reason that the service gives (google.rpc.ErrorInfo), such as
    #   "AMBIGUOUS_TRACE_ID"; nil when something between here and the service answered
    attr_reader :reason
    # @return [String, nil] who gave the reason: "echeck-returns" or "echeck-server"
    attr_reader :domain
    # @return [Hash{String => String}] facts about the reason
    attr_reader :metadata
    # @return [Array<FieldViolation>] the wrong fields of the request (google.rpc.BadRequest)
    attr_reader :field_violations
    # @return [Float, nil] after how many seconds the call may be tried again (google.rpc.RetryInfo)
    attr_reader :retry_after
    # @return [Symbol, nil] the call, such as :get_transfer
    attr_reader :rpc

    def initialize(message, code:, rpc: nil, reason: nil, domain: nil, metadata: {},
                   field_violations: [], retry_after: nil)
      super(message)
      @code = code
      @rpc = rpc
      @reason = reason
      @domain = domain
      @metadata = metadata.freeze
      @field_violations = field_violations.freeze
      @retry_after = retry_after
    end
  end

  # The call was canceled.
  class Canceled < CallError; end
  # The service gave no code that is known here.
  class UnknownError < CallError; end
  # An argument is wrong; see {CallError#field_violations}.
  class InvalidArgument < CallError; end
  # The call took longer than its deadline. A change may have taken effect.
  class DeadlineExceeded < CallError; end
  # There is nothing with this id.
  class NotFound < CallError; end
  # It exists already, or the request_id was used with other arguments.
  class AlreadyExists < CallError; end
  # The caller has no role for this call.
  class PermissionDenied < CallError; end
  # There is too much of something: calls, or bytes.
  class ResourceExhausted < CallError; end
  # The call is right, but not in the present state.
  class FailedPrecondition < CallError; end
  # Somebody else changed the same thing at the same time.
  class Aborted < CallError; end
  # A position is beyond the end of the journal.
  class OutOfRange < CallError; end
  # The service is older than this client and does not have the call.
  class Unimplemented < CallError; end
  # The service has a fault.
  class Internal < CallError; end
  # The service, or a database that it needs, does not answer. Try again later.
  class Unavailable < CallError; end
  # Bytes are not those that were written.
  class DataLoss < CallError; end
  # The token or the certificate is not known, or has expired.
  class Unauthenticated < CallError; end

  # The page tokens of the service lead back to a page that was read before.
  class PageTokenLoop < ProtocolError; end
end
