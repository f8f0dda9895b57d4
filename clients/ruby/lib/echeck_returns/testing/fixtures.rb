# frozen_string_literal: true

require "echeck_returns/messages"

module EcheckReturns
  module Testing
    # Builds messages of the service from Ruby's own values, as {Value} shows them: symbols for
    # enums, Time and Date, hashes for messages.
    # @api private
    module Fixtures
      module_function

      def build(type, values)
        known = values.compact.to_h do |field, value|
          descriptor = type.descriptor.lookup(field.to_s)
          raise ArgumentError, "#{type.descriptor.name} has no field #{field}" unless descriptor

          [field, convert(descriptor, value)]
        end
        type.new(known)
      end

      def convert(descriptor, value)
        case value
        when Google::Protobuf::Map, Google::Protobuf::MessageExts then value
        when Array then value.map { |one| convert(descriptor, one) }
        when Hash then nested(descriptor, value)
        when Date then descriptor.type == :message ? Messages.timestamp(value) : value.iso8601
        else Messages.value(descriptor, value)
        end
      end

      def nested(descriptor, value)
        type = descriptor.subtype&.msgclass
        # A map's entry is a message too, with a key and a value.
        return value if type.nil? || type.descriptor.lookup("key")&.number == 1 && descriptor.label == :repeated

        build(type, value)
      end
    end
  end
end
