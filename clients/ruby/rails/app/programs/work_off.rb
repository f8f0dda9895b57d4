# Runs the jobs that wait. Then fails after a job was enqueued: neither the event nor the job may remain.
require "json"

Delayed::Worker.new(quiet: true).work_off
left = Delayed::Job.count
message = EcheckReturns::WebhookMessage.new("msg_rolled_back", '{"event_type":"a.test"}')
counts = -> { [EcheckReturns::WebhookEvent.where(webhook_id: message.id).count, Delayed::Job.count] }
begin
  ActiveRecord::Base.transaction do
    EcheckReturns::WebhookEvent.accept(message)
    raise "the database is gone"
  end
rescue RuntimeError
  first = counts.call
end
again = EcheckReturns::WebhookEvent.accept(message)
twice = EcheckReturns::WebhookEvent.accept(message)
second = counts.call
Delayed::Worker.new(quiet: true).work_off

# A job that starts before its row is committed: it is tried again, and then given up.
EcheckWebhookJob.perform_now(10**9)
early = Delayed::Job.count
Delayed::Job.delete_all
puts JSON.generate(left: left, early: early, first: first, again: again, twice: twice, second: second)
