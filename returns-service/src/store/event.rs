//! Events: what the follower makes of journal rows and holds, and what deliveries tell.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{HoldRecord, HoldState, StoreError};
use crate::webhook::Dialect;

/// What an event tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A journal row that took effect in the system of record.
    Row { position: u64 },
    /// A hold that was opened, or closed.
    Hold { hold_id: String, state: HoldState },
}

/// An event that is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEvent {
    /// Derived from the origin, so that an event has one id for good.
    pub(crate) event_id: String,
    pub(crate) origin: Origin,
    /// The transfer that was returned; empty for a hold without one.
    pub(crate) transfer_id: String,
    /// Its merchant; empty when unknown.
    pub(crate) merchant: String,
    /// When it happened.
    pub(crate) occurred_at: DateTime<Utc>,
    /// What happened, as JSON, without account numbers; bodies are rendered from it.
    pub(crate) facts: String,
    /// Which messages tell of it: in each dialect none, one or more event types, each once.
    pub(crate) messages: Vec<(Dialect, String)>,
}

/// An event with its place among all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventRecord {
    /// Counted from 1, dense, in the order in which events were recorded.
    pub(crate) sequence: u64,
    pub(crate) new: NewEvent,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventFilter {
    pub(crate) transfer_id: Option<String>,
    /// Only those that occurred at or after this time.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Only those that occurred before this time.
    pub(crate) until: Option<DateTime<Utc>>,
    /// Only sequences above this one.
    pub(crate) after: u64,
}

/// How events come into the returns database.
#[async_trait]
pub(crate) trait EventStore: Send + Sync {
    /// The journal position up to which rows have become events.
    async fn event_position(&self) -> Result<u64, StoreError>;
    /// Moves that position from `from` to `to` and records `events`, in order, with one pending
    /// delivery for each enabled endpoint and each of its dialect's messages that it wants: all
    /// in one transaction. False, and nothing is written, when the position is not `from`.
    async fn record_events(
        &self,
        from: u64,
        to: u64,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Holds whose present state no event tells yet, oldest first. One that was opened and
    /// closed before anybody was told is told of once, as it is.
    async fn untold_holds(&self, limit: u32) -> Result<Vec<HoldRecord>, StoreError>;
    /// Records the events of holds, in order, with their deliveries, and that their states are told:
    /// all in one transaction. One that has another state by now, or was told already, is left out.
    /// Gives how many were recorded.
    async fn record_hold_events(
        &self,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<usize, StoreError>;
}

/// Events in the returns database, as they are listed and told.
#[async_trait]
pub(crate) trait EventReads: Send + Sync {
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
