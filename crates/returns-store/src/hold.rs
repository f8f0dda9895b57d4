//! Entries that wait.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::hold::{HoldChange, HoldFilter, HoldRecord, OpenHolds, RefusedRows};

use crate::StoreError;

/// Holds in the returns database. [`crate::AppendStore`] opens them, and closes those that are
/// decided.
#[async_trait]
pub trait HoldStore: Send + Sync {
    /// One hold.
    async fn hold(&self, hold_id: &str) -> Result<Option<HoldRecord>, StoreError>;
    /// Holds, oldest first, those after `after` (time and id).
    async fn holds(
        &self,
        filter: &HoldFilter,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError>;
    /// Open holds whose next attempt is due.
    async fn due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError>;
    /// How many holds are open.
    async fn open_holds(&self) -> Result<u64, StoreError>;
    /// The open holds by import and reason, the most first.
    async fn open_holds_by_import(&self) -> Result<Vec<OpenHolds>, StoreError>;
    /// The open holds of rows that a database refuses; `None` when there are none.
    async fn refused_rows(&self, database: &str) -> Result<Option<RefusedRows>, StoreError>;
    /// Changes an open hold that still has the attempts it was read with. False when it has
    /// moved on.
    async fn change_hold(&self, change: &HoldChange) -> Result<bool, StoreError>;
}
