//! What a stop may have swallowed: a message was recorded as undeliverable, and the process ended
//! before staff were notified.

use chrono::TimeDelta;
use returns_model::incident::{Cause, Problem, Subject};
use returns_store::StoreError;

use super::sender::Sender;

/// What became undeliverable longer ago than this was reported, or has been seen since.
const RECENT: TimeDelta = TimeDelta::hours(1);

impl Sender {
    /// Reports endpoints with a message that became undeliverable a short time ago. An incident
    /// that is open already only counts once more.
    pub(super) async fn report_recently_dead(&self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        for delivery in self.parts.store.recently_dead(now - RECENT).await? {
            let endpoint_id = delivery.endpoint_id;
            let Some(endpoint) = self.parts.store.endpoint(&endpoint_id).await? else {
                continue;
            };
            self.mark_failing(&endpoint_id);
            let cause = Cause::WebhookDead {
                host: endpoint.host(),
                why: delivery.last_error.unwrap_or_default(),
                count: self.parts.store.dead_letters(&endpoint_id).await?,
                endpoint: endpoint_id.clone(),
            };
            let subject = Subject::Endpoint(endpoint_id);
            self.parts
                .incidents
                .report(Problem::new(subject, cause, now));
        }
        Ok(())
    }
}
