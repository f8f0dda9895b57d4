# frozen_string_literal: true

require "bigdecimal"
require "bigdecimal/util"

module EcheckReturns
  # An amount: whole minor units (cents) with a currency. There are no floats.
  class Money
    include Comparable

    # ISO 4217: currencies whose minor unit is not a hundredth.
    EXPONENTS = { "BHD" => 3, "IQD" => 3, "JOD" => 3, "KWD" => 3, "LYD" => 3, "OMR" => 3, "TND" => 3,
                  "BIF" => 0, "CLP" => 0, "DJF" => 0, "GNF" => 0, "ISK" => 0, "JPY" => 0, "KMF" => 0,
                  "KRW" => 0, "PYG" => 0, "RWF" => 0, "UGX" => 0, "UYI" => 0, "VND" => 0, "VUV" => 0,
                  "XAF" => 0, "XOF" => 0, "XPF" => 0, "CLF" => 4, "UYW" => 4 }.freeze
    private_constant :EXPONENTS

    # @return [Integer] the amount in minor units
    attr_reader :minor
    # @return [String, nil] the currency, ISO 4217
    attr_reader :currency

    def initialize(minor, currency)
      @minor = Integer(minor)
      @currency = currency && -currency
      freeze
    end

    # @return [BigDecimal] the amount in major units (dollars)
    def to_d
      BigDecimal(minor) / (10**exponent)
    end

    # @return [String] such as "12.50 USD"
    def to_s
      digits = minor.abs.to_s.rjust(exponent + 1, "0")
      digits = "#{digits[0...-exponent]}.#{digits[-exponent..]}" if exponent.positive?
      ["#{"-" if minor.negative?}#{digits}", currency].compact.join(" ")
    end

    # Amounts of different currencies cannot be compared.
    def <=>(other)
      return unless other.is_a?(Money) && other.currency == currency

      minor <=> other.minor
    end

    def ==(other)
      other.is_a?(Money) && other.minor == minor && other.currency == currency
    end
    alias eql? ==

    def hash
      [minor, currency].hash
    end

    def inspect
      "#<EcheckReturns::Money #{self}>"
    end

    private

    def exponent
      EXPONENTS.fetch(currency, 2)
    end
  end
end
