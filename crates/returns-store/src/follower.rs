//! How far each database is.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::follower::{Progress, RowException};

use crate::StoreError;

/// The lease of the replica that feeds a database.
pub fn feed_lease(database: &str) -> String {
    format!("feed:{database}")
}

/// Followers in the returns database, as last recorded here. The truth is in each target.
#[async_trait]
pub trait FollowerStore: Send + Sync {
    /// How far a database is.
    async fn progress(&self, database: &str) -> Result<Progress, StoreError>;
    /// Records how far a database is, with the exceptions after the position recorded before
    /// or, when the target was restored and is behind that, after its position now. False,
    /// and nothing is written, when the recorded position is no longer `expected`: another
    /// replica feeds the database, and what the caller heard of it may be out of date.
    async fn record_progress(
        &self,
        database: &str,
        expected: u64,
        position: u64,
        exceptions: &[RowException],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Records why the feed of a database is stalled, or with `None` that it continues. What
    /// it was stalled for first keeps its time. Nothing is recorded unless `owner` has the
    /// feed's lease: a replica that lost it knows nothing of the feed.
    async fn record_fault(
        &self,
        database: &str,
        owner: &str,
        fault: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Exceptions of a database that nobody has dealt with, in order.
    async fn open_exceptions(
        &self,
        database: &str,
        limit: u32,
    ) -> Result<Vec<RowException>, StoreError>;
    /// Exceptions of a database with positions in `after + 1 ..= to`.
    async fn exceptions(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<RowException>, StoreError>;
}
