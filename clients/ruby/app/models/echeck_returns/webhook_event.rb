# frozen_string_literal: true

module EcheckReturns
  # A message of the webhook endpoint, as it came.
  #
  # Each takes effect once. Its row and its job are created in one transaction, and a unique index
  # refuses the same webhook_id again. The job locks the row, and what it does is committed together
  # with processed_at. So neither a message that comes twice nor a job that runs twice does it twice.
  class WebhookEvent < ActiveRecord::Base
    scope :unprocessed, -> { where(processed_at: nil) }

    class << self
      # Stores a message and enqueues its job.
      # @param message [WebhookMessage]
      # @return [Boolean] false when it was stored before
      def accept(message)
        transaction do
          event = create!(webhook_id: message.id, event_id: message.event_id, event_type: message.type,
                          body: message.body, received_at: Time.current)
          job.perform_later(event.id)
        end
        true
      rescue ActiveRecord::RecordNotUnique
        false
      end

      # Yields the event, unless it is processed, with its row locked.
      # @return [void]
      # @raise [ActiveRecord::RecordNotFound]
      def process(id)
        transaction do
          event = lock.find(id)
          unless event.processed_at
            yield event
            event.update!(processed_at: Time.current)
          end
        end
      end

      # Enqueues again what a queue has lost. What is processed meanwhile is not done again.
      # @return [Integer] how many
      def requeue(older_than: 15.minutes)
        ids = unprocessed.where("received_at < ?", older_than.ago).order(:id).ids
        ids.each { |id| job.perform_later(id) }.size
      end

      private

      def job
        EcheckReturns.configuration.webhook_job.to_s.constantize
      end
    end

    # @return [Hash] the body, parsed
    def data
      JSON.parse(body)
    end

    # @return [Integer, nil] the version of the object that it is about; higher is newer
    def version
      data["version"]
    end
  end
end
