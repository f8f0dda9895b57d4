//! Deliveries: which message is to reach which endpoint, and how that went.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    /// It is tried, or tried again.
    Pending,
    /// The endpoint has taken it.
    Delivered,
    /// It was tried often enough: the dead-letter entry.
    Dead,
}

impl DeliveryState {
    /// All states.
    pub(crate) const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];

    /// The word for databases.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// One message to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) endpoint_id: String,
    pub(crate) sequence: u64,
    pub(crate) event_type: String,
    /// The `webhook-id`, the same at every try.
    pub(crate) message_id: String,
    pub(crate) event_id: String,
    /// The transfer that the event tells of; may be empty.
    pub(crate) transfer_id: String,
    pub(crate) state: DeliveryState,
    /// All there ever were.
    pub(crate) attempts: u64,
    /// Those that came before its tries began anew.
    pub(crate) tries_from: u64,
    /// How often its tries began anew.
    pub(crate) generation: u64,
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
    /// The HTTP status of the last answer, if there was one.
    pub(crate) last_status: Option<u64>,
    pub(crate) last_error: Option<String>,
    pub(crate) last_attempt_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl Delivery {
    /// How often it was tried since its tries began, or began anew.
    pub(crate) fn tries(&self) -> u64 {
        self.attempts.saturating_sub(self.tries_from)
    }
}

/// What operators have done to an endpoint: another value means that they have done something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Its version: counts changes of it and of its keys.
    pub(crate) version: u64,
    /// Counts how often it was sent something again.
    pub(crate) wakes: u64,
}

/// A message that is to be delivered once more, or for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redelivery {
    pub(crate) endpoint_id: String,
    pub(crate) sequence: u64,
    pub(crate) event_type: String,
    pub(crate) message_id: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The endpoint has taken the message.
    Delivered,
    /// Not now; it is tried again at that time.
    Retry { error: String, at: DateTime<Utc> },
    /// Not, and that was the last try.
    Dead { error: String },
}

/// An attempt, to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryAttempt {
    pub(crate) outcome: Outcome,
    /// The HTTP status, when there was an answer.
    pub(crate) status: Option<u16>,
    pub(crate) at: DateTime<Utc>,
}

/// How an endpoint stands after an attempt was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// When the first failure after the last success was.
    pub(crate) failing_since: Option<DateTime<Utc>>,
    /// Whether this attempt ended a time of failures.
    pub(crate) recovered: bool,
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeliveryFilter {
    pub(crate) endpoint_id: Option<String>,
    pub(crate) state: Option<DeliveryState>,
    pub(crate) event_id: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) transfer_id: Option<String>,
}

/// What is kept with a message that its endpoint wants no more.
pub(super) const UNWANTED: &str = "not sent: its endpoint was told to want it no more";

/// A delivery's place in a list: sequence, endpoint, event type.
pub(crate) type DeliveryPlace = (u64, String, String);

/// Deliveries in the returns database.
#[async_trait]
pub(crate) trait DeliveryStore: Send + Sync {
    /// The enabled endpoints for which something is due: with strict order, only when the
    /// oldest message that waits is.
    async fn due_endpoints(&self, now: DateTime<Utc>)
    -> Result<Vec<(String, Touched)>, StoreError>;
    /// What operators have done to an endpoint so far; `None` when nothing is sent to it.
    async fn touched(&self, endpoint_id: &str) -> Result<Option<Touched>, StoreError>;
    /// The earliest moment after `now` at which something becomes due.
    async fn next_due_after(&self, now: DateTime<Utc>)
    -> Result<Option<DateTime<Utc>>, StoreError>;
    /// What is due for one endpoint, the longest due first; with strict order at most one,
    /// the oldest that waits.
    async fn due_deliveries(
        &self,
        endpoint_id: &str,
        ordered: bool,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Records an attempt at a pending delivery that still has the attempts and the generation it
    /// was read with, and since when its endpoint fails. `None`, and nothing is written, when it
    /// has moved on.
    async fn record_attempt(
        &self,
        delivery: &Delivery,
        attempt: &DeliveryAttempt,
    ) -> Result<Option<Standing>, StoreError>;
    /// Gives up messages that their endpoint wants no more. They are no dead letters that anybody
    /// must look at, and one that has moved on is left as it is.
    async fn give_up_unwanted(
        &self,
        unwanted: &[Delivery],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Of each endpoint with a message that was given up after `since`, the newest such.
    async fn recently_dead(&self, since: DateTime<Utc>) -> Result<Vec<Delivery>, StoreError>;
    /// How many messages to an endpoint were given up though it wants them.
    async fn dead_letters(&self, endpoint_id: &str) -> Result<u64, StoreError>;
    /// Deliveries, newest first, those before `before`.
    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryPlace>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Makes each of these due at `at`, whether it was given up, waits, or was never there;
    /// also those that were delivered when `delivered_too`. Attempts are kept, the tries begin
    /// anew, and an attempt that is on its way does not count. Gives how many are due now.
    async fn redeliver(
        &self,
        again: &[Redelivery],
        delivered_too: bool,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError>;
}
