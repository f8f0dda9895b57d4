//! What a stop may have swallowed: a message was given up and recorded so, and the process ended
//! before anybody was told.

use chrono::TimeDelta;
use returns_model::incident::{Cause, Problem, Subject};
use returns_store::StoreError;

use super::sender::Sender;

/// What was given up longer ago than this was told, or has been seen since.
const RECENT: TimeDelta = TimeDelta::hours(1);

impl Sender {
    /// Tells of endpoints that have a message which was given up a short time ago. An incident
    /// that is open already only counts once more.
    pub(super) async fn report_recently_dead(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for delivery in self.store.recently_dead(now - RECENT).await? {
            let endpoint_id = delivery.endpoint_id;
            let Some(endpoint) = self.store.endpoint(&endpoint_id).await? else {
                continue;
            };
            self.mark_failing(&endpoint_id);
            let cause = Cause::WebhookDead {
                host: endpoint.host(),
                why: delivery.last_error.unwrap_or_default(),
                count: self.store.dead_letters(&endpoint_id).await?,
                endpoint: endpoint_id.clone(),
            };
            let subject = Subject::Endpoint(endpoint_id);
            self.incidents.report(Problem::new(subject, cause, now));
        }
        Ok(())
    }
}
