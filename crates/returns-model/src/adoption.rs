//! An operator's decision to put a database's cursor onto another row.

use chrono::{DateTime, Utc};

/// A place in a journal, which need not be ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub journal_id: String,
    pub position: u64,
    pub hash: Vec<u8>,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    pub id: String,
    pub database: String,
    /// Where the cursor was; `None` where the database had applied nothing.
    pub from: Option<Point>,
    /// Where it shall be, in our journal.
    pub to: Point,
    pub actor: String,
    pub reason: String,
    pub decided_at: DateTime<Utc>,
}

impl Adoption {
    /// Where the cursor was; 0 where the database had applied nothing.
    pub fn from_position(&self) -> u64 {
        self.from.as_ref().map_or(0, |from| from.position)
    }
}
