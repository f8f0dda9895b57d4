//! A journal row with its place in the journal.

use chrono::{DateTime, Utc};

use super::chain::Hash;
use super::row::Row;

/// A row of the journal with its place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    pub position: u64,
    pub hash: Hash,
    /// The row as it is stored, over which the hash is taken.
    pub payload: String,
    pub row: Row,
    pub recorded_at: DateTime<Utc>,
    /// The position of the row that replaced this one, when there is one.
    pub superseded_by: Option<u64>,
}
