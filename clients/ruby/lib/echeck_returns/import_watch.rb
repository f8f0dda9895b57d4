# frozen_string_literal: true

require "echeck_returns/connection"
require "echeck_returns/import_values"
require "echeck_returns/messages"

module EcheckReturns
  # WatchImport, begun again when it is cut off: each message has the whole import.
  # @api private
  class ImportWatch
    # The service ends a longer call.
    LONGEST = 600
    private_constant :LONGEST

    def initialize(connection, import_id, deadline)
      @connection = connection
      @request = Messages.build(:WatchImportRequest, import_id: import_id)
      @deadline = deadline
      @last = nil
    end

    # Yields each change once.
    # @return [Import] the last one
    def each(&block)
      failures = 0
      loop do
        attempt { |import| failures = 0 if deliver(import, &block) }
        return @last if @last&.finished?
      rescue Connection::Forked
        next
      rescue CallError => e
        failures += 1
        raise unless again?(e, failures)

        @connection.retries.wait(failures, e)
      end
    end

    private

    def attempt
      left = @deadline - Clock.now
      @connection.stream(:watch_import, @request, timeout: [left, LONGEST].min) do |message|
        yield Import.from_proto(message.file_import)
      end
    end

    def deliver(import)
      return if import == @last

      @last = import
      yield import
      true
    end

    def again?(error, failures)
      return false if Clock.now >= @deadline
      return true if error.is_a?(DeadlineExceeded)

      @connection.retries.again?(error, failures)
    end
  end
end
