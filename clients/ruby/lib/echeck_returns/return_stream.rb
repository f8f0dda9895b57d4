# frozen_string_literal: true

require "echeck_returns/connection"
require "echeck_returns/messages"
require "echeck_returns/values"

module EcheckReturns
  # StreamReturns, continued from the last position whenever it is cut off.
  # @api private
  class ReturnStream
    # What a new stream may cure when the service gives no reason: what is between here and the
    # service has ended the connection.
    CUT_OFF = [DeadlineExceeded, Canceled, Internal, UnknownError].freeze
    # A heartbeat may be late by as much again, and by so many seconds.
    ALLOWANCE = 5
    private_constant :CUT_OFF

    def initialize(connection, after:, journal_id:, heartbeat:, heartbeats:, patience:)
      @connection = connection
      @position = after
      @journal_id = journal_id
      @heartbeat = heartbeat
      @heartbeats = heartbeats
      @patience = patience
    end

    def each(&block)
      failures = 0
      last_message = Clock.now
      loop do
        # A stream that ends without an error was ended by a service that is stopping.
        error = attempt do |message|
          failures = 0
          last_message = Clock.now
          deliver(message, &block)
        end
        next if error.is_a?(Connection::Forked)

        raise error if error && Clock.now - last_message > @patience

        failures += 1
        @connection.retries.wait(failures, error)
      end
    end

    private

    # @return [Error, nil] what cut it off
    def attempt(&block)
      request = Messages.build(:StreamReturnsRequest, after_position: @position, journal_id: @journal_id,
                                                      heartbeat_ms: (@heartbeat * 1000).to_i)
      @connection.stream(:stream_returns, request, silence: @heartbeat * 2 + ALLOWANCE, &block)
      nil
    rescue Connection::Forked => e
      e
    rescue CallError => e
      raise unless @connection.retries.retryable?(e) || (e.reason.nil? && CUT_OFF.any? { |type| e.is_a?(type) })

      e
    end

    # The position moves first: a return whose block raises is the block's to deal with.
    def deliver(message)
      streamed = StreamedReturn.from_proto(message)
      position = streamed.position
      if position < @position || (position == @position && !streamed.heartbeat?)
        raise ProtocolError, "stream_returns: position #{position} came after #{@position}"
      end

      @position = position
      @journal_id = streamed.journal_id
      yield streamed if @heartbeats || !streamed.heartbeat?
    end
  end
end
