# frozen_string_literal: true

require "time"
require "echeck_returns/errors"
require "echeck_returns/enums"
require "echeck_returns/money"

module EcheckReturns
  # What the service says about one thing. It never changes after it was read.
  #
  # An absent text, date or time is nil. Two values are equal when they say the same.
  class Value
    # How a field of a message becomes an attribute.
    READERS = {
      # The strings of a message are frozen.
      text: ->(raw, _) { raw.empty? ? nil : raw },
      texts: ->(raw, _) { raw.to_a.freeze },
      map: ->(raw, _) { raw.to_h.freeze },
      integer: ->(raw, _) { raw },
      # A number that is counted from 1; 0 means that there is none.
      ordinal: ->(raw, _) { raw.zero? ? nil : raw },
      flag: ->(raw, _) { raw },
      enum: ->(raw, field) { Enums.read(field, raw) },
      time: ->(raw, _) { raw && Time.at(raw.seconds, raw.nanos, :nsec).utc.freeze },
      date: ->(raw, field) { raw.empty? ? nil : Value.read_date(raw, field) }
    }.freeze
    private_constant :READERS

    class << self
      # @return [Hash{Symbol => Array}] the attributes, each with how it is read
      def attributes
        @attributes ||= superclass.respond_to?(:attributes) ? superclass.attributes.dup : {}
      end

      # Reads a message of the service.
      # @param message [Google::Protobuf::MessageExts, nil]
      # @return [Value, nil]
      def from_proto(message)
        return if message.nil?

        @readers ||= attributes.map { |name, (kind, from)| [name, *reader(message, kind, from)] }
        values = {}
        @readers.each do |name, field, presence, read|
          absent = presence && !field.has?(message)
          values[name] = absent ? nil : read.call(field.get(message), field)
        end
        new(values)
      end

      def read_date(raw, field)
        Date.iso8601(raw).freeze
      rescue Date::Error
        raise ProtocolError, "#{field.name} is #{raw[0, 40].inspect}, not a date"
      end

      private

      # Declares attributes that are read in one way.
      def attribute(*names, kind, from: nil)
        names.each do |name|
          attributes[name] = [kind, (from || name).to_s]
          method = kind == :flag ? :"#{name}?" : name
          define_method(method) { @values[name] }
        end
      end

      # Declares an amount in minor units, and the same as {Money}.
      def money(name = :amount)
        minor = :"#{name}_minor"
        attribute minor, :integer
        define_method(name) { Money.new(@values[minor], currency) if @values[minor] }
      end

      # A field, whether it may be absent, and how it is read. They are looked up once, because a
      # batch has tens of thousands of fields.
      def reader(message, kind, from)
        presence = message.respond_to?(:"has_#{from}?")
        read = case kind
               when Symbol then READERS.fetch(kind)
               when Array then ->(raw, _) { raw.map { |one| kind.first.from_proto(one) }.freeze }
               else ->(raw, _) { kind.from_proto(raw) }
               end
        [message.class.descriptor.lookup(from), presence, read]
      end
    end

    # @api private
    def initialize(values)
      @values = values.freeze
      freeze
    end

    # @return [Hash{Symbol => Object}] the attributes, nested values as hashes too
    def to_h
      @values.transform_values do |value|
        case value
        when Value then value.to_h
        when Array then value.map { |one| one.is_a?(Value) ? one.to_h : one }
        else value
        end
      end
    end

    # For pattern matching.
    def deconstruct_keys(_keys)
      @values
    end

    def ==(other)
      other.instance_of?(self.class) && other.deconstruct_keys(nil) == @values
    end
    alias eql? ==

    def hash
      [self.class, @values].hash
    end

    # @return [String] the attributes that are set, long texts shortened
    def inspect
      set = @values.reject { |_, value| value.nil? || (value.respond_to?(:empty?) && value.empty?) }
      shown = set.map do |name, value|
        text = value.is_a?(Date) || value.is_a?(Time) ? value.iso8601 : value.inspect
        "#{name}=#{text.length > 80 ? "#{text[0, 77]}..." : text}"
      end
      "#<#{self.class.name} #{shown.join(" ")}>"
    end
  end
end
