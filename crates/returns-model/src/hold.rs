//! Entries that wait.

use ach::decision::HoldReason;
use ach::entry::Entry;
use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr};

use super::dishonor::Marks;

/// Whether a hold still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum HoldState {
    /// It waits.
    Open,
    /// It was decided later.
    Resolved,
    /// It turned out to be a return that is known.
    Duplicate,
    /// A person closed it without effect.
    Dismissed,
}

impl HoldState {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A hold to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    pub hold_id: String,
    pub source: String,
    pub import_id: String,
    pub ordinal: u64,
    pub reason: HoldReason,
    pub detail: String,
    pub entry: Entry,
    pub transfer_ids: Vec<String>,
    /// The database and the row that did not take effect there.
    pub failed: Option<(String, u64)>,
    /// When it is tried again automatically; `None` when a person is needed.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A hold as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRecord {
    pub new: NewHold,
    pub state: HoldState,
    pub attempts: u32,
    pub held_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<String>,
    pub note: Option<String>,
    pub resolved_position: Option<u64>,
}

/// Which holds to list. What is `None` is not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldFilter {
    pub state: HoldState,
    pub import_id: Option<String>,
    pub source: Option<String>,
    pub reason: Option<HoldReason>,
    /// The code of the entry, as the file spells it.
    pub code: Option<String>,
    pub transfer_id: Option<String>,
    /// Only those that were held before that moment.
    pub held_before: Option<DateTime<Utc>>,
}

impl HoldFilter {
    /// Every hold in this state.
    pub const fn of(state: HoldState) -> Self {
        Self {
            state,
            import_id: None,
            source: None,
            reason: None,
            code: None,
            transfer_id: None,
            held_before: None,
        }
    }
}

/// The open holds of rows that a database refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRows {
    pub count: u64,
    /// What the newest of them says.
    pub detail: String,
}

/// The open holds of an import that have the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHolds {
    pub import_id: String,
    pub reason: HoldReason,
    pub count: u64,
    pub amount_minor: i64,
    pub oldest_held_at: DateTime<Utc>,
}

/// A change of an open hold that appends nothing to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChange {
    pub hold_id: String,
    /// The attempts it was read with.
    pub attempts: u32,
    pub to: HoldChangeTo,
}

/// What an open hold becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldChangeTo {
    /// Tried, and it still cannot be decided.
    StillOpen {
        reason: HoldReason,
        detail: String,
        transfer_ids: Vec<String>,
        next_attempt_at: Option<DateTime<Utc>>,
        /// Whether it may be dishonored, as far as is known by now.
        dishonor: Marks,
        at: DateTime<Utc>,
    },
    /// Closed without a journal row.
    Closed {
        state: HoldState,
        by: String,
        note: String,
        at: DateTime<Utc>,
    },
}
