//! Sending messages again: one event's, or whatever an endpoint has missed in a stretch of
//! time.

use chrono::{DateTime, Utc};

use super::Endpoint;
use crate::ids;
use crate::store::{EventRecord, NewEvent, Redelivery, Store, StoreError};

/// Events that are looked at in one go.
const PAGE: u32 = 500;

/// The messages of the event with a sequence that an endpoint wants.
pub(crate) fn wanted(endpoint: &Endpoint, new: &NewEvent, sequence: u64) -> Vec<Redelivery> {
    let wants = |(dialect, event_type): &&(_, String)| {
        endpoint.settings.wants(*dialect, event_type, &new.merchant)
    };
    let messages = new.messages.iter().filter(wants);
    messages
        .map(|(dialect, event_type)| Redelivery {
            endpoint_id: endpoint.endpoint_id.clone(),
            sequence,
            event_type: event_type.clone(),
            message_id: ids::message_id(&new.event_id, dialect.as_str(), event_type),
        })
        .collect()
}

/// Makes an event's messages to an endpoint due now, delivered before or not. Gives how many;
/// none when the endpoint wants none of them.
pub(crate) async fn replay(
    store: &dyn Store,
    endpoint: &Endpoint,
    event: &EventRecord,
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    store
        .redeliver(&wanted(endpoint, &event.new, event.sequence), true, at)
        .await
}

/// Makes every message due now that the endpoint wants, that happened or became an event from
/// `since` until before `until`, and that it has not taken. Gives how many.
pub(crate) async fn recover(
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
            .flat_map(|event| wanted(endpoint, &event.new, event.sequence))
            .collect();
        due += store.redeliver(&missed, false, at).await?;
    }
}
