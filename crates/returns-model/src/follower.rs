//! How far each database is.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr};

/// Why a feed is stalled, and since when.
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
    /// Why its feed is stalled, as reported by the replica that feeds it.
    pub fault: Option<Fault>,
}

/// Why a row did not take effect in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ExceptionKind {
    /// The transfer is no longer as it was decided on.
    MovedOn,
    /// The database has no such row.
    NotFound,
    /// The database refused the change.
    Refused,
}

impl ExceptionKind {
    /// Its name in the database and in reports.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
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

/// A journal row that the adapter of a database cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    pub position: u64,
    /// What the adapter said.
    pub why: String,
    /// Who decided that the database passes it without effect, and why.
    pub skipped: Option<(String, String)>,
}

impl UnreadableRow {
    /// The exception that a skipped row is to its database.
    pub fn exception(&self) -> Option<RowException> {
        let (by, reason) = self.skipped.as_ref()?;
        Some(RowException {
            position: self.position,
            kind: ExceptionKind::Refused,
            message: format!(
                "its adapter cannot read the row ({}); skipped by {by}: {reason}",
                self.why
            ),
        })
    }
}
