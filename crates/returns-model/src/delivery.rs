//! Deliveries: which message is to reach which endpoint, and how that went.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr};

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum DeliveryState {
    /// It is tried, or tried again.
    Pending,
    /// The endpoint has taken it.
    Delivered,
    /// It was tried often enough.
    Undeliverable,
}

impl DeliveryState {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// One message to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub endpoint_id: String,
    pub sequence: u64,
    pub event_type: String,
    /// The `webhook-id`, the same at every try.
    pub message_id: String,
    pub event_id: String,
    /// The transfer that the event is about; may be empty.
    pub transfer_id: String,
    pub state: DeliveryState,
    /// All there ever were.
    pub attempts: u64,
    /// Those that came before its attempts began again.
    pub tries_from: u64,
    /// How often its attempts began again.
    pub generation: u64,
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The HTTP status of the last answer, if there was one.
    pub last_status: Option<u64>,
    pub last_error: Option<String>,
    pub last_attempt_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Delivery {
    /// How often it was tried since its attempts began, or began again.
    pub fn tries(&self) -> u64 {
        self.attempts.saturating_sub(self.tries_from)
    }
}

/// What operators have done to an endpoint: another value means that they have done something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// Its version: counts changes of it and of its keys.
    pub version: u64,
    /// Counts how often it was sent something again.
    pub wakes: u64,
}

/// A message that is to be delivered once more, or for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    pub endpoint_id: String,
    pub sequence: u64,
    pub event_type: String,
    pub message_id: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The endpoint has taken the message.
    Delivered,
    /// Not now; it is tried again at that time.
    Retry { error: String, at: DateTime<Utc> },
    /// Not, and that was the last try.
    Undeliverable { error: String },
}

/// An attempt, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    pub outcome: DeliveryOutcome,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    pub at: DateTime<Utc>,
}

/// A message that its endpoint has accepted, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// As it was read.
    pub delivery: Delivery,
    /// The HTTP status of the answer.
    pub status: u16,
    pub at: DateTime<Utc>,
}

impl Accepted {
    /// The same as an attempt.
    pub fn attempt(&self) -> DeliveryAttempt {
        DeliveryAttempt {
            outcome: DeliveryOutcome::Delivered,
            status: Some(self.status),
            at: self.at,
        }
    }
}

/// How an endpoint stands after an attempt was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// When the first failure after the last success was.
    pub failing_since: Option<DateTime<Utc>>,
    /// Whether this attempt ended a time of failures.
    pub recovered: bool,
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub endpoint_id: Option<String>,
    pub state: Option<DeliveryState>,
    pub event_id: Option<String>,
    pub message_id: Option<String>,
    pub transfer_id: Option<String>,
}

/// A delivery's place in a list: sequence, endpoint, event type.
pub type DeliveryPlace = (u64, String, String);
