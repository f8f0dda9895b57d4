# frozen_string_literal: true

require "active_support/concern"

module EcheckReturns
  # For the model of the payments that the rallypay-adapter changes. Include it below the enum.
  #
  #   class Transaction < ApplicationRecord
  #     enum status: { pending: 0, succeeded: 1, failed: 2, returned: 3, reversed: 4, restored: 5 }
  #     include EcheckReturns::Returnable
  #   end
  #
  # Scopes: returned (came back before it was funded), reversed (after), ach_returned (either).
  module Returnable
    extend ActiveSupport::Concern

    included do
      class_attribute :returnable_settings, instance_accessor: false,
                      default: { status: :status, transfer_id: :transfer_id, returned: "returned",
                                 reversed: "reversed" }.freeze

      # An enum of the same words has these scopes already.
      scope :returned, -> { in_status(:returned) } unless respond_to?(:returned)
      scope :reversed, -> { in_status(:reversed) } unless respond_to?(:reversed)
      scope :ach_returned, -> { in_status(:returned, :reversed) }
    end

    class_methods do
      # Names the columns and the words, where they differ.
      # @param settings status:, transfer_id:, returned:, reversed:
      def returnable(**settings)
        unknown = settings.keys - returnable_settings.keys
        raise ArgumentError, "unknown keyword: #{unknown.first.inspect}" unless unknown.empty?

        self.returnable_settings = returnable_settings.merge(settings).freeze
      end

      # A scope asks its relation, which passes on what is public.
      # @api private
      def in_status(*names)
        where(returnable_settings[:status] => returnable_settings.values_at(*names))
      end
    end

    # @return [Boolean] whether it came back before it was funded
    def returned?
      returnable_status == self.class.returnable_settings[:returned].to_s
    end

    # @return [Boolean] whether it came back after it was funded
    def reversed?
      returnable_status == self.class.returnable_settings[:reversed].to_s
    end

    # @return [Boolean] whether it came back
    def ach_returned?
      returned? || reversed?
    end

    # Asks the service.
    # @return [AchReturn, nil] its return; nil when there is none
    def ach_return
      transfer_id = public_send(self.class.returnable_settings[:transfer_id])
      return if transfer_id.blank?

      EcheckReturns.transfer(transfer_id).ach_return
    rescue NotFound
      nil
    end

    private

    def returnable_status
      public_send(self.class.returnable_settings[:status]).to_s
    end
  end
end
