//! An operator's decision to put a database's cursor onto another row.

use chrono::{DateTime, Utc};

/// A place in a journal, which need not be ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) journal_id: String,
    pub(crate) position: u64,
    pub(crate) hash: Vec<u8>,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Adoption {
    pub(crate) id: String,
    pub(crate) database: String,
    /// Where the cursor was.
    pub(crate) from: Point,
    /// Where it shall be, in our journal.
    pub(crate) to: Point,
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) decided_at: DateTime<Utc>,
}
