# frozen_string_literal: true

module EcheckReturns
  # Enums are symbols without the name of their type: EFFECT_REVERSE is :reverse. What is not set is
  # nil. A value that this version of the gem does not know keeps its number: :unknown_42.
  module Enums
    module_function

    # @param value [Symbol, nil]
    # @return [Boolean] whether the value is newer than this gem
    def unknown?(value)
      !unknown_number(value).nil?
    end

    # @param value [Symbol, nil]
    # @return [Integer, nil] the number of a value that is newer than this gem
    def unknown_number(value)
      value.to_s[/\Aunknown_(\d+)\z/, 1]&.to_i
    end

    # @api private
    def read(field, raw)
      return :"unknown_#{raw}" if raw.is_a?(Integer)

      name = raw.name.delete_prefix(prefix(field.subtype)).downcase
      name == "unspecified" ? nil : name.to_sym
    end

    # @api private
    def write(descriptor, value)
      return 0 if value.nil?

      number = unknown_number(value)
      return number if number

      full = :"#{prefix(descriptor)}#{value.to_s.upcase}"
      return full if descriptor.lookup_name(full)

      known = descriptor.map { |name, _| name.name.delete_prefix(prefix(descriptor)).downcase } - ["unspecified"]
      raise ArgumentError, "#{value.inspect} is not one of #{known.map { |one| ":#{one}" }.join(", ")}"
    end

    # TransferView has TRANSFER_VIEW_ before each of its names.
    def prefix(descriptor)
      name = descriptor.name.split(".").last
      "#{name.gsub(/(?<=[a-z0-9])(?=[A-Z])/, "_").upcase}_"
    end
  end
end
