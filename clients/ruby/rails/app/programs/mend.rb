# Mends what made a job fail, and runs it again, twice.
require "json"

FileUtils.touch(Rails.root.join("tmp/mended"))
before = SeenEvent.where(webhook_id: "msg_fails").count
# As if the queue had lost the job a while ago.
EcheckReturns::WebhookEvent.unprocessed.update_all(received_at: 20.minutes.ago)
Rails.application.load_tasks
Rake::Task["echeck_returns:requeue"].invoke
id = EcheckReturns::WebhookEvent.find_by!(webhook_id: "msg_fails").id
2.times { EcheckWebhookJob.perform_now(id) }
puts JSON.generate(before: before)
