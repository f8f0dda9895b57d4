//! How far each database is.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::audit::AuditRecord;
use returns_model::follower::{Progress, RowException, UnreadableRow};

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
    /// How far each database is that anything is recorded of.
    async fn all_progress(&self) -> Result<HashMap<String, Progress>, StoreError>;
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
    /// Records that the adapter of a database cannot read a row, and why. What was recorded of it
    /// before stays.
    async fn record_unreadable(
        &self,
        database: &str,
        position: u64,
        why: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Rows that the adapter of a database could not read, with positions in `after + 1 ..= to`.
    async fn unreadable_rows(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<UnreadableRow>, StoreError>;
    /// Records an operator's decision that a database passes an unreadable row without effect.
    /// False when there is no such row, or it is skipped already.
    async fn skip_row(
        &self,
        database: &str,
        position: u64,
        decision: &AuditRecord,
    ) -> Result<bool, StoreError>;
}
