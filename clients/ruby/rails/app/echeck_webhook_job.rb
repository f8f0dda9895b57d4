class EcheckWebhookJob < EcheckReturns::WebhookJob
  def handle(event)
    SeenEvent.create!(webhook_id: event.webhook_id, event_type: event.event_type)
    raise "told to fail" if event.data["fail"] && !Rails.root.join("tmp/mended").exist?
  end
end
