//! The transfers that rows of the journal make, and which of them may be settled.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::journal::JournalRow;
use returns_model::settlement::MadeTransfer;

use crate::StoreError;

/// Made transfers in the returns database. [`crate::AppendStore`] writes them: with the row
/// that makes one, and with the row that makes it ready.
#[async_trait]
pub trait SettleStore: Send + Sync {
    /// Those that are not ready, in the order in which they were decided: made by rows up to
    /// `up_to` that took effect in `system_of_record`, and decided before `before`.
    async fn not_ready(
        &self,
        system_of_record: &str,
        up_to: u64,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MadeTransfer>, StoreError>;
    /// One of them.
    async fn made_transfer(&self, transfer_id: &str) -> Result<Option<MadeTransfer>, StoreError>;
    /// The last row that makes ready what the row at `position` made.
    async fn last_ready_row(&self, position: u64) -> Result<Option<JournalRow>, StoreError>;
}
