//! Deliveries: which message is to reach which endpoint, and how that went.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::delivery::{
    Accepted, Delivery, DeliveryAttempt, DeliveryFilter, DeliveryPlace, Redelivery, Standing,
    Touched,
};

use crate::StoreError;

/// What is recorded with a message that its endpoint no longer wants.
pub(super) const UNWANTED: &str = "not sent: its endpoint no longer wants it";

/// Deliveries in the returns database.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// The enabled endpoints for which something is due: with strict order, only when the
    /// oldest message that waits is.
    async fn due_endpoints(&self, now: DateTime<Utc>)
    -> Result<Vec<(String, Touched)>, StoreError>;
    /// What operators have done to endpoints so far. One to which nothing is sent is not among them.
    async fn touched(
        &self,
        endpoint_ids: &[String],
    ) -> Result<HashMap<String, Touched>, StoreError>;
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
    /// Records that endpoints have accepted messages, all in one transaction: as
    /// [`DeliveryStore::record_attempt`] does for each, in their order.
    async fn record_delivered(
        &self,
        accepted: &[Accepted],
    ) -> Result<Vec<Option<Standing>>, StoreError>;
    /// Gives up messages that their endpoint no longer wants. They are not counted as undeliverable
    /// letters, and one that has moved on is left as it is.
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
    /// also those that were delivered when `delivered_too`. Attempts stay counted, the tries begin
    /// again, and an attempt that is on its way does not count. Gives how many are due now.
    async fn redeliver(
        &self,
        again: &[Redelivery],
        delivered_too: bool,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError>;
}
