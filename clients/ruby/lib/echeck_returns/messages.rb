# frozen_string_literal: true

require "time"
require "google/protobuf/well_known_types"
require "echeck/returns/v1/returns_service_services_pb"
require "echeck_returns/enums"

module EcheckReturns
  # Builds requests from Ruby's own values: nil is left out, symbols become enums, times become
  # timestamps.
  # @api private
  module Messages
    module_function

    # @raise [ArgumentError] when a field does not exist or has the wrong type
    def build(name, **fields)
      type = Echeck::Returns::V1.const_get(name)
      values = fields.compact.to_h do |field, value|
        descriptor = type.descriptor.lookup(field.to_s)
        raise ArgumentError, "unknown keyword: :#{field}" unless descriptor

        [field, value(descriptor, value)]
      end
      type.new(values)
    rescue Google::Protobuf::TypeError => e
      raise ArgumentError, e.message
    end

    # The key of one transfer: exactly one of two ids.
    def key(transfer_id, trace_id)
      given = { transfer_id: transfer_id, trace_id: trace_id }.compact
      raise ArgumentError, "one of transfer_id and trace_id is required" unless given.size == 1

      given
    end

    def value(descriptor, value)
      if descriptor.type == :enum
        Enums.write(descriptor.subtype, value)
      elsif descriptor.type == :message && descriptor.subtype.name == "google.protobuf.Timestamp"
        timestamp(value)
      else
        value
      end
    end

    # Takes a Time, a DateTime, an ActiveSupport::TimeWithZone, or a Date (its midnight in UTC).
    def timestamp(value)
      time = value.instance_of?(Date) ? Time.utc(value.year, value.month, value.day) : value.to_time
      Google::Protobuf::Timestamp.new(seconds: time.to_i, nanos: time.nsec)
    end
  end
end
