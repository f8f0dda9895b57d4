//! Reading what is there without believing it.

use std::ops::Range;

use async_trait::async_trait;
use returns_model::journal::{JournalRow, StoredRow};

use crate::StoreError;

/// The rows of an import, as its columns say or as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRange {
    pub rows: u64,
    /// 0 without rows.
    pub first: u64,
    pub last: u64,
}

/// What an import says about its rows, and what is there, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedImport {
    pub import_id: String,
    pub recorded: RowRange,
    pub counted: RowRange,
    /// How many positions its stretches have, and how many of them hold a row of it.
    pub stretched: u64,
    pub in_stretches: u64,
    pub holds: u64,
    pub duplicates: u64,
    pub prenotes: u64,
    pub rejected: u64,
}

/// The columns of a hold that repeat what its entry says, for filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldColumns {
    pub hold_id: String,
    pub code: Option<String>,
    /// Minor units.
    pub amount_minor: Option<i64>,
}

/// What the check of the returns database reads.
#[async_trait]
pub trait VerifyStore: Send + Sync {
    /// Rows of the journal after a position, in order, with all their columns.
    async fn stored_rows(&self, after: u64, limit: u32) -> Result<Vec<StoredRow>, StoreError>;
    /// Imports with later ids than `after`, in the order of the ids.
    async fn counted_imports(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<CountedImport>, StoreError>;
    /// The columns of an import's holds, by their ordinals.
    async fn hold_columns(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<HoldColumns>, StoreError>;
    /// All rows about some transfers, in order.
    async fn rows_of(&self, transfer_ids: &[String]) -> Result<Vec<JournalRow>, StoreError>;
}
