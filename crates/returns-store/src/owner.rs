//! Which owners of endpoints are still to be told that the service has disabled theirs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::endpoint::{Endpoint, NotificationState};

use crate::StoreError;

/// NotificationState owners, in the returns database. [`crate::WebhookStore::change_endpoint`] writes who
/// is to be told.
#[async_trait]
pub trait OwnerStore: Send + Sync {
    /// Disabled endpoints whose owners wait to be told, those that are tried first before the
    /// others.
    async fn owners_waiting(&self, limit: u32) -> Result<Vec<Endpoint>, StoreError>;
    /// Endpoints that the service has disabled after `since` and that still are, the newest
    /// first.
    async fn disabled_after(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError>;
    /// Counts a try at notification the owner of `seen`, before it is made: what a crash or a full disk
    /// lets nobody record is tried again at `next_at`, not at once. False when the owner does not
    /// wait any more as it was seen: another tells them, or the endpoint was enabled.
    async fn begin_notification(
        &self,
        seen: &Endpoint,
        next_at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Records how a try went that was counted. False as above.
    async fn record_telling(
        &self,
        seen: &Endpoint,
        notification: &NotificationState,
    ) -> Result<bool, StoreError>;
}
