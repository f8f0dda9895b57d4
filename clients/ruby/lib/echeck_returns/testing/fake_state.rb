# frozen_string_literal: true

require "echeck_returns/testing/failures"

module EcheckReturns
  module Testing
    # What a fake server knows, and how it behaves.
    # @api private
    class FakeState
      Call = Struct.new(:rpc, :request, :metadata)

      # @return [Array<String>]
      attr_reader :files

      def initialize(token:)
        @token = token
        @lock = Mutex.new
        @changed = ConditionVariable.new
        @found = { transfers: {}, returns: {}, holds: {}, imports: {} }
        @failures = Hash.new { |all, rpc| all[rpc] = [] }
        @hanging = []
        @answers = {}
        @calls = []
        @files = []
        @cuts = 0
        @changes = 0
        @closed = false
      end

      def add(kind, id, message)
        change { @found.fetch(kind)[id] = message }
      end

      def add_return(message)
        change do
          message.position = @found[:returns].size + 1 if message.position.zero?
          @found[:returns][message.ach_return_id] = message
        end
      end

      def next_position
        @lock.synchronize { @found[:returns].size + 1 }
      end

      def all(kind)
        @lock.synchronize { @found.fetch(kind).values }
      end

      def find(kind, id)
        @lock.synchronize { @found.fetch(kind)[id] }
      end

      def fail(rpc, errors)
        change { @failures[rpc].concat(errors) }
      end

      def hang(rpc)
        change { @hanging << rpc }
      end

      def answer(rpc, block)
        change { @answers[rpc] = block }
      end

      def cut
        change { @cuts += 1 }
      end

      def close
        change { @closed = true }
      end

      def calls(rpc)
        @lock.synchronize { @calls.select { |one| rpc.nil? || one.rpc == rpc } }
      end

      # What every call does first.
      # @return [Object, nil] the answer of a test, if it has one
      def enter(rpc, request, call)
        failure, answer = @lock.synchronize do
          @calls << Call.new(rpc, request, call.metadata)
          @changed.broadcast
          @changed.wait(@lock) while @hanging.include?(rpc) && !@closed
          [@failures[rpc].shift, @answers[rpc]]
        end
        check(call)
        raise failure if failure

        answer&.call(request)
      end

      # Yields once, and then whenever something changed or the time is over, until the server stops
      # or {#cut} is called.
      def follow(seconds = nil)
        cuts = @lock.synchronize { @cuts }
        loop do
          seen = @lock.synchronize { @changes }
          yield
          # A change that came during the yield is not waited for.
          @lock.synchronize { @changed.wait(@lock, seconds) if @changes == seen }
          raise Failures.error(:unavailable, reason: "STOPPING") if @closed || @cuts != cuts
        end
      end

      private

      def change
        @lock.synchronize do
          @changes += 1
          yield.tap { @changed.broadcast }
        end
      end

      def check(call)
        return if @token.nil? || call.metadata["authorization"] == "Bearer #{@token}"

        raise Failures.error(:unauthenticated, message: "the call needs a token that is known here",
                                               domain: "echeck-server")
      end
    end
  end
end
