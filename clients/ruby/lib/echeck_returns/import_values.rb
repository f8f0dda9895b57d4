# frozen_string_literal: true

require "echeck_returns/values"

module EcheckReturns
  # A number of entries and their money, in minor units.
  class Tally < Value
    attribute :count, :amount_minor, :integer
  end

  # The outcome of a file's entries so far.
  class ImportTotals < Value
    attribute :read, :returned, :reversed, :failed, :corrected, :duplicate, :held, :rejected,
              :restored, :reapplied, :prenote, Tally
    attribute :debit_minor, :credit_minor, :integer
  end

  # A line, or a whole file, that was rejected, and why.
  class Rejection < Value
    attribute :line, :ordinal
    attribute :byte_offset, :integer
    attribute :field, :message, :looks_like, :text
    attribute :looks_like_sources, :texts
  end

  # A difference that the source's settings tolerate.
  class Finding < Value
    attribute :line, :ordinal
    attribute :field, :message, :text
    attribute :count, :integer
  end

  # One file, and the outcome of its entries.
  class Import < Value
    attribute :import_id, :source, :file_name, :sha256, :fault, :archive_key, :report_key,
              :rejected_lines_token, :controls_accepted_by, :text
    attribute :state, :emptiness, :enum
    attribute :currencies, :texts
    attribute :size_bytes, :entries_total, :entries_done, :left_out, :integer
    attribute :first_position, :last_position, :ordinal
    attribute :reissued, :flag
    attribute :received_at, :decided_at, :applied_at, :reported_at, :time
    attribute :rejection, Rejection
    attribute :totals, ImportTotals
    attribute :rejected_lines, [Rejection]
    attribute :findings, [Finding]
    attribute :databases, [DatabaseProgress]

    alias id import_id

    # @return [Boolean] whether its state does not change any more
    def finished?
      %i[applied rejected dry_run].include?(state)
    end

    # @return [Boolean] whether every entry is decided
    def decided?
      %i[decided applied dry_run].include?(state)
    end

    # @return [Boolean] whether every database has passed it
    def applied?
      state == :applied
    end

    # @return [Boolean] whether the file was rejected whole; see {#rejection}
    def rejected?
      state == :rejected
    end
  end

  # What {Client#import_file} gives.
  class ImportResult < Value
    attribute :import, Import, from: :file_import
    attribute :duplicate_file, :flag
  end

  # How far {Client#import_file} is: first the bytes that were sent, then the states of the import.
  ImportProgress = Struct.new(:bytes_sent, :bytes_total, :import, keyword_init: true) do
    # @return [Float, nil] the share of the file that was sent, when its size is known
    def fraction_sent
      bytes_total.to_i.positive? ? bytes_sent.fdiv(bytes_total) : nil
    end
  end
end
