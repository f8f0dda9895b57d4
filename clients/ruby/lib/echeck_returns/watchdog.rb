# frozen_string_literal: true

require "echeck_returns/retries"

module EcheckReturns
  # Calls the block once when something that it watches takes too long.
  # @api private
  class Watchdog
    # @return [Numeric]
    attr_reader :seconds

    def initialize(seconds, &bark)
      @seconds = seconds
      @bark = bark
      @lock = Mutex.new
      @changed = ConditionVariable.new
      @due = nil
      @barked = false
      @thread = Thread.new { guard }
    end

    # The time outside of this block does not count: it is the caller's.
    def watch
      set(Clock.now + seconds)
      yield
    ensure
      set(nil)
    end

    def barked?
      @barked
    end

    def stop
      @thread.kill
    end

    private

    def set(due)
      @lock.synchronize do
        @due = due
        @changed.signal
      end
    end

    def guard
      @lock.synchronize do
        until @barked
          left = @due && @due - Clock.now
          @barked = true if left && left <= 0
          @changed.wait(@lock, left) unless @barked
        end
      end
      @bark.call
    end
  end
end
