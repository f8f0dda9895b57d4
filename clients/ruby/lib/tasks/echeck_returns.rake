# frozen_string_literal: true

namespace :echeck_returns do
  desc "Enqueues the jobs of webhook events again that are not processed after 15 minutes"
  task requeue: :environment do
    puts "#{EcheckReturns::WebhookEvent.requeue} enqueued"
  end
end
