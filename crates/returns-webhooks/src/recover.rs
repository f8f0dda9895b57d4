//! Sending messages again: one event's, or all that an endpoint has missed in a stretch of time.

use chrono::{DateTime, Utc};
use returns_model::delivery::Redelivery;
use returns_model::endpoint::{Endpoint, messages_for};
use returns_model::event::EventRecord;
use returns_store::{Store, StoreError};

/// The number of events that are read together.
const PAGE: u32 = 500;

/// Makes an event's messages to an endpoint due now, delivered before or not. Gives how many;
/// none when the endpoint wants none of them.
pub async fn replay(
    store: &dyn Store,
    endpoint: &Endpoint,
    event: &EventRecord,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    store
        .redeliver(
            &messages_for(endpoint, &event.new, event.sequence),
            true,
            at,
        )
        .await
}

/// Makes every message due now that the endpoint wants, that happened or became an event from
/// `since` until before `until`, and that it has not accepted. Gives how many.
pub async fn recover(
    store: &dyn Store,
    endpoint: &Endpoint,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let (mut after, mut due) = (0, 0);
    loop {
        let events = store.events_between(since, until, after, PAGE).await?;
        let Some(last) = events.last() else {
            return Ok(due);
        };
        after = last.sequence;
        let missed: Vec<Redelivery> = events
            .iter()
            .flat_map(|event| messages_for(endpoint, &event.new, event.sequence))
            .collect();
        due += store.redeliver(&missed, false, at).await?;
    }
}
