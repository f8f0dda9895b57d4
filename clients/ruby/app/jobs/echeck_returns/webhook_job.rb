# frozen_string_literal: true

module EcheckReturns
  # Processes one event, once. An app has a subclass with a method +handle+; what that writes to the
  # app's database is committed together with the note that the event is processed.
  class WebhookJob < ActiveJob::Base
    # A queue outside of the database may start the job before the row is committed. If it never is,
    # the message was not accepted, and is sent again.
    retry_on ActiveRecord::RecordNotFound, wait: 2.seconds, attempts: 5 do |job, _error|
      job.logger&.warn("echeck_returns: there is no webhook event #{job.arguments.first}; it was not committed")
    end

    def perform(id)
      WebhookEvent.process(id) { |event| handle(event) }
    end

    # @param event [WebhookEvent]
    def handle(event)
      raise NotImplementedError, "#{self.class} needs a method handle(event), for #{event.event_type}"
    end
  end
end
