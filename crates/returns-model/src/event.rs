//! Events: what the follower makes of journal rows and holds, and what deliveries say.

use chrono::{DateTime, Utc};

use super::hold::HoldState;
use crate::endpoint::PayloadVersion;

/// What an event reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A journal row that took effect in the system of record.
    Row { position: u64 },
    /// A hold that was opened, or closed.
    Hold { hold_id: String, state: HoldState },
}

/// An event that is not recorded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Derived from the origin, so that an event has one id for good.
    pub event_id: String,
    pub origin: Origin,
    /// The transfer that was returned; empty for a hold without one.
    pub transfer_id: String,
    /// Its merchant; empty when unknown.
    pub merchant: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// What happened, as JSON, without account numbers; bodies are rendered from it.
    pub facts: String,
    /// Which messages report it: in each payload version none, one or more event types, each once.
    pub messages: Vec<(PayloadVersion, String)>,
}

/// An event with its place among all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Counted from 1, dense, in the order in which events were recorded.
    pub sequence: u64,
    pub new: NewEvent,
    pub recorded_at: DateTime<Utc>,
}

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub transfer_id: Option<String>,
    /// Only those that occurred at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only those that occurred before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only sequences above this one.
    pub after: u64,
}
