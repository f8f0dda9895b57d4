//! Owners who are still to be notified that the service has disabled their endpoints.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::endpoint::{Endpoint, NotificationState};

use crate::StoreError;

/// Notifications of owners, in the returns database. [`crate::WebhookStore::change_endpoint`]
/// writes who is to be notified.
#[async_trait]
pub trait OwnerStore: Send + Sync {
    /// Disabled endpoints whose owners wait to be notified, those that are tried first before the
    /// others.
    async fn owners_waiting(&self, limit: u32) -> Result<Vec<Endpoint>, StoreError>;
    /// Endpoints that the service has disabled after `since` and that still are, the newest
    /// first.
    async fn disabled_after(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError>;
    /// Counts an attempt to notify the owner of `seen`, before it is made: one that a crash or a
    /// full disk lets nobody record is repeated at `next_at`, not at once. False when the owner no
    /// longer waits as it was seen: another replica notifies them, or the endpoint was enabled.
    async fn begin_notification(
        &self,
        seen: &Endpoint,
        next_at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Records how an attempt went that was counted. False as above.
    async fn record_notification(
        &self,
        seen: &Endpoint,
        notification: &NotificationState,
    ) -> Result<bool, StoreError>;
}
