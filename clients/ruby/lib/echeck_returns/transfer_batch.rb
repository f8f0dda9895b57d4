# frozen_string_literal: true

require "echeck_returns/values"

module EcheckReturns
  # The answer for one key: a transfer, or why there is none.
  TransferResult = Struct.new(:key, :transfer, :error) do
    # @return [Boolean]
    def found?
      !transfer.nil?
    end
  end

  # The answers of {Client#transfers}: one for each key, in the order of the keys.
  class TransferBatch
    include Enumerable

    # How many keys one call may have.
    LIMIT = 500

    # @api private
    def self.fetch(keys, &call)
      new(keys.each_slice(LIMIT).flat_map { |some| results(some, &call) })
    end

    # Halves a batch whose answer is too large for one message.
    def self.results(keys, &call)
      answers = call.call(keys)
      unless answers.size == keys.size
        raise ProtocolError, "batch_get_transfers: #{answers.size} answers to #{keys.size} keys"
      end

      keys.zip(answers).map { |key, answer| result(key, answer) }
    rescue ResourceExhausted => e
      raise if e.reason || keys.size == 1

      keys.each_slice((keys.size + 1) / 2).flat_map { |half| results(half, &call) }
    end

    def self.result(key, answer)
      transfer = Transfer.from_proto(answer.transfer)
      error = TransferError.from_proto(answer.error)
      raise ProtocolError, "batch_get_transfers: an answer is empty" unless transfer || error

      TransferResult.new(key.values.first, transfer, error).freeze
    end
    private_class_method :results, :result

    # @api private
    def initialize(results)
      @results = results.freeze
      @by_key = results.to_h { |one| [one.key, one] }.freeze
      freeze
    end

    # @yieldparam result [TransferResult]
    def each(&block)
      @results.each(&block)
    end

    # @return [Transfer, nil] the transfer with this id or trace id
    def [](key)
      @by_key[key]&.transfer
    end

    # @return [Array<Transfer>] those that were found
    def found
      @results.filter_map(&:transfer)
    end

    # @return [Array<TransferResult>] those that were not
    def missing
      @results.reject(&:found?)
    end

    # @return [Integer]
    def size
      @results.size
    end

    def inspect
      "#<#{self.class} #{found.size} found, #{missing.size} missing>"
    end
  end
end
