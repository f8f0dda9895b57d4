# frozen_string_literal: true

module EcheckReturns
  module Generators
    # The app's words for a status, as its model and its table have them.
    class StatusWords
      # The model cannot show a return yet. The message says what to add.
      class Missing < StandardError; end

      # What an app must be able to show; the other two have a fallback.
      REQUIRED = %w[failed returned].freeze
      private_constant :REQUIRED

      # @return [String] "integer" or "string"
      attr_reader :kind

      def initialize(model, options)
        @model = model
        @options = options
        @column = options[:status_column]
        found = model.columns_hash[@column]
        unless found
          raise Missing, "table #{model.table_name} has no column #{@column}; name yours with --status-column"
        end

        @kind = options[:status_kind] || (found.type == :integer ? "integer" : "string")
        check
      end

      # @return [String, nil] the app's word for a status of the adapter; nil when it has none
      def word(key)
        word = @options[key]
        return word if known?(word)

        key == "reversed" ? word("returned") : nil
      end

      # @return [String, nil] the same as the adapter's configuration wants it
      def toml(key)
        value = word(key) && stored(word(key))
        value && (kind == "integer" ? value.to_s : value.to_s.inspect)
      end

      # @return [String]
      def open
        words = @options[:open].select { |word| known?(word) }
        "[#{words.map { |word| stored(word).to_s.inspect }.join(", ")}]"
      end

      private

      def enum
        @model.defined_enums[@column]
      end

      def known?(word)
        enum ? enum.key?(word) : kind == "string"
      end

      def stored(word)
        enum ? enum.fetch(word) : word
      end

      def check
        if kind == "integer" && enum.nil?
          raise Missing, "#{@model.name}##{@column} is an integer, but the model declares no enum for it"
        end

        missing = REQUIRED.reject { |key| known?(@options[key]) }
        missing = missing.map { |key| @options[key] }
        unless missing.empty?
          raise Missing, "the enum #{@model.name}##{@column} lacks #{missing.join(" and ")}; add it, or name the " \
                         "app's own word with --#{REQUIRED.find { |key| missing.include?(@options[key]) }}"
        end
        return if @options[:open].any? { |word| known?(word) }

        raise Missing, "none of #{@options[:open].join(", ")} is in the enum #{@model.name}##{@column}; " \
                       "name the statuses that a return may change with --open"
      end
    end
  end
end
