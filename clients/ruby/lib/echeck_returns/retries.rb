# frozen_string_literal: true

require "echeck_returns/errors"

module EcheckReturns
  # Time that only goes forward.
  # @api private
  module Clock
    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end

  # What is tried again, and after which pause.
  # @api private
  class Retries
    FIRST_PAUSE = 0.1
    LONGEST_PAUSE = 5.0
    private_constant :FIRST_PAUSE, :LONGEST_PAUSE

    def initialize(max_attempts, sleep: Kernel.method(:sleep), random: Random)
      @max_attempts = max_attempts
      @sleep = sleep
      @random = random
    end

    # Yields the number of the attempt until one succeeds or trying again makes no sense.
    def run(deadline, repeatable: true)
      attempt = 0
      begin
        attempt += 1
        yield attempt
      rescue CallError => e
        raise unless repeatable && again?(e, attempt)

        pause = pause(attempt, e)
        raise if Clock.now + pause >= deadline

        @sleep.call(pause)
        retry
      end
    end

    # Whether a call is made again that has failed so many times in a row.
    def again?(error, failures)
      failures < @max_attempts && retryable?(error)
    end

    # A full service says when it has room again. Without that, such as after an answer that is too
    # large, the same call would fail again.
    def retryable?(error)
      error.is_a?(Unavailable) || (error.is_a?(ResourceExhausted) && !error.retry_after.nil?)
    end

    # Waits before attempt +attempt+ + 1.
    def wait(attempt, error)
      @sleep.call(pause(attempt, error))
    end

    private

    # Callers that failed together come back apart, so that they do not meet again.
    def pause(attempt, error)
      longest = [FIRST_PAUSE * (2**[attempt - 1, 10].min), LONGEST_PAUSE].min
      (error&.retry_after || 0) + longest * (0.5 + @random.rand / 2)
    end
  end
end
