# frozen_string_literal: true

require "echeck_returns/value"

module EcheckReturns
  # How far one database is with an import or a return.
  class DatabaseProgress < Value
    attribute :database, :fault, :text
    attribute :state, :enum
    attribute :rows_passed, :exceptions, :integer

    # @return [Boolean] whether the database has everything
    def applied?
      state == :applied
    end
  end

  # One piece of corrected data of a notification of change.
  class CorrectedField < Value
    attribute :field, :value, :text
  end

  # Why our bank may dishonor a return.
  class DishonorGround < Value
    attribute :code, :fields, :explanation, :text
    attribute :last_day, :date
  end

  # A return of a payment, or another decision about it; see {#effect}.
  class AchReturn < Value
    attribute :ach_return_id, :return_code, :return_title, :return_description, :acquirer_text,
              :transfer_id, :currency, :reversal_id, :recommended_action, :account_effect,
              :rate_category, :original_trace, :return_trace, :case_id, :account_tail, :import_id,
              :related_return_id, :restoration_id, :transfer_state, :text
    attribute :effect, :timeliness, :representment, :stage, :enum
    attribute :settlement_date, :issued_on, :received_on, :original_settlement_date, :deadline,
              :represent_until, :return_fee_until, :correction_told_by, :correction_changed_by,
              :correction_refused_by, :date
    attribute :line, :position, :supersedes_position, :ordinal
    attribute :decided_at, :time
    attribute :represent_attempts_used, :represent_attempts_left, :integer
    attribute :represent_attempts_are_bounds, :return_fee_allowed, :questionable, :flag
    attribute :databases, [DatabaseProgress]
    attribute :corrected_fields, [CorrectedField]
    attribute :dishonor_grounds, [DishonorGround]
    money

    alias id ach_return_id
  end

  # What {Client#stream_returns} yields: the next decision, or a heartbeat.
  class StreamedReturn < Value
    attribute :position, :integer
    attribute :journal_id, :text
    attribute :ach_return, AchReturn

    # @return [Boolean] whether there is no decision, and only the position moves
    def heartbeat?
      ach_return.nil?
    end
  end

  # A transfer of the core gateway, with what is known about its return.
  class Transfer < Value
    attribute :id, :currency, :state, :type, :subtype, :trace_id, :raw_json, :application, :source,
              :destination, :statement_descriptor, :idempotency_id, :merchant_identity, :failure_code,
              :failure_message, :parent_id, :text
    attribute :tags, :links, :map
    attribute :messages, :reversal_ids, :open_hold_ids, :texts
    attribute :ready_to_settle_at, :created_at, :updated_at, :time
    attribute :has_ach_return, :flag
    attribute :ach_return, AchReturn
    attribute :databases, [DatabaseProgress]
    money
    money :fee
  end

  # Why there is no transfer for one key of {Client#transfers}.
  class TransferError < Value
    attribute :reason, :message, :text

    # @return [Boolean] whether there is no such transfer
    def not_found?
      reason == "NOT_FOUND"
    end
  end

  # An entry that waits for a person, or for its transfer to appear.
  class Hold < Value
    attribute :hold_id, :detail, :import_id, :entry_kind, :code, :currency, :database, :closed_by, :note, :text
    attribute :reason, :state, :enum
    attribute :line, :failed_position, :resolved_position, :ordinal
    attribute :keys, :map
    attribute :transfer_ids, :texts
    attribute :attempts, :integer
    attribute :next_attempt_at, :held_at, :closed_at, :time
    money

    alias id hold_id

    # @return [Boolean] whether it still waits
    def open?
      state == :open
    end
  end

  # A hold after {Client#retry_hold} or {Client#dismiss_hold}.
  class HoldResolution < Value
    attribute :hold, Hold
    attribute :proposal_id, :text

    # @return [Boolean] whether a second person must approve it first
    def proposed?
      !proposal_id.nil?
    end
  end
end
