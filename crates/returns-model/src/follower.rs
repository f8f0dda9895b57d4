//! How far each database is.

use chrono::{DateTime, Utc};

/// Why a feed stands still, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub since: DateTime<Utc>,
}

/// How far a database is, as last recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last position it has passed.
    pub position: u64,
    /// Why its feed stands still, as the replica that feeds it said.
    pub fault: Option<Fault>,
}

/// Why a row did not take effect in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionKind {
    /// The transfer is no longer as it was decided on.
    MovedOn,
    /// The database has no such row.
    NotFound,
    /// The database refused the change.
    Refused,
}

impl ExceptionKind {
    pub const ALL: [Self; 3] = [Self::MovedOn, Self::NotFound, Self::Refused];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MovedOn => "moved_on",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
        }
    }
}

/// A journal row that did not take effect in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowException {
    pub position: u64,
    pub kind: ExceptionKind,
    /// What the adapter said: the state seen, or the database's message.
    pub message: String,
}
