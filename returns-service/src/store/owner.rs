//! Which owners of endpoints are still to be told that the service has disabled theirs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::webhook::{Endpoint, Telling};

/// What a change of an endpoint does about telling its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnerChange {
    /// Nothing.
    Keep,
    /// The service disables the endpoint: its owner is to be told, from that moment on.
    Tell,
    /// The endpoint is enabled: there is nothing to tell any more.
    Forget,
}

impl OwnerChange {
    /// The word for the statement.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Tell => "tell",
            Self::Forget => "forget",
        }
    }
}

/// Telling owners, in the returns database. [`super::WebhookStore::change_endpoint`] writes who
/// is to be told.
#[async_trait]
pub(crate) trait OwnerStore: Send + Sync {
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
    /// Counts a try at telling the owner of `seen`, before it is made: what a crash or a full disk
    /// lets nobody record is tried again at `next_at`, not at once. False when the owner does not
    /// wait any more as it was seen: another tells them, or the endpoint was enabled.
    async fn begin_telling(
        &self,
        seen: &Endpoint,
        next_at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Records how a try went that was counted. False as above.
    async fn record_telling(&self, seen: &Endpoint, telling: &Telling) -> Result<bool, StoreError>;
}
