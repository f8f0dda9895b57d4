//! Reading the journal.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::journal::{Head, JournalRow};

use crate::StoreError;

/// Which returns to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnFilter {
    pub import_id: Option<String>,
    pub transfer_id: Option<String>,
    pub code: Option<String>,
    /// Only positions below this one.
    pub before: Option<u64>,
    /// Only positions below the first one of the imports that were received at this time or later:
    /// their rows are later still.
    pub before_imports_since: Option<DateTime<Utc>>,
}

/// What the journal says of some transfers, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The position of the last row at that moment.
    pub head_position: u64,
    /// By transfer id: its rows that still stand, in order of position, those that only follow
    /// another among them. Superseded rows, repeats, and rows that did not take effect in the
    /// system of record are left out.
    pub standing: HashMap<String, Vec<JournalRow>>,
    /// By transfer id: how many return ids were ever given out for it.
    pub ids_given: HashMap<String, usize>,
}

/// The journal, to read. [`crate::AppendStore`] appends to it.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// The end of the journal.
    async fn head(&self) -> Result<Head, StoreError>;
    /// What the journal says of these transfers. `system_of_record` names the database whose
    /// exceptions take a row out.
    async fn known(
        &self,
        transfer_ids: &[String],
        system_of_record: &str,
    ) -> Result<Known, StoreError>;
    /// Rows after a position, in order.
    async fn rows_after(&self, position: u64, limit: u32) -> Result<Vec<JournalRow>, StoreError>;
    /// The row at a position.
    async fn row(&self, position: u64) -> Result<Option<JournalRow>, StoreError>;
    /// The row that stands for a return (the last one with its id that is not a repeat).
    async fn return_row(&self, return_id: &str) -> Result<Option<JournalRow>, StoreError>;
    /// Rows that still stand, newest first.
    async fn returns(
        &self,
        filter: &ReturnFilter,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;
}
