//! Events: what the follower makes of journal rows and holds, and what deliveries say.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::event::{EventFilter, EventRecord, NewEvent};
use returns_model::hold::HoldRecord;

use crate::StoreError;

/// How events come into the returns database.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// The journal position up to which rows have become events.
    async fn event_position(&self) -> Result<u64, StoreError>;
    /// Moves that position from `from` to `to` and records `events`, in order, with one pending
    /// delivery for each enabled endpoint and each of its payload_version's messages that it wants: all
    /// in one transaction. False, and nothing is written, when the position is not `from`.
    async fn record_events(
        &self,
        from: u64,
        to: u64,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Holds whose present state no event reports yet, oldest first. One that was opened and
    /// closed before it was published is published once, as it is.
    async fn unpublished_holds(&self, limit: u32) -> Result<Vec<HoldRecord>, StoreError>;
    /// Records the events of holds, in order, with their deliveries, and that their states are
    /// published: all in one transaction. One that has another state by now, or was published
    /// already, is left out.
    /// Gives how many were recorded.
    async fn record_hold_events(
        &self,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<usize, StoreError>;
}

/// Events in the returns database, as they are listed and sent.
#[async_trait]
pub trait EventReads: Send + Sync {
    /// Events, oldest first.
    async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError>;
    /// Events above the sequence `after` that happened, or became events, from `since` until before
    /// `until`, oldest first. What happened while a database was down becomes an event later.
    async fn events_between(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError>;
    /// The events with these sequences, in order.
    async fn events_at(&self, sequences: &[u64]) -> Result<Vec<EventRecord>, StoreError>;
    /// One event.
    async fn event(&self, event_id: &str) -> Result<Option<EventRecord>, StoreError>;
}
