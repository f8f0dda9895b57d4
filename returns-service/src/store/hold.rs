//! Entries that wait.

use ach::decision::HoldReason;
use ach::entry::Entry;
use chrono::{DateTime, Utc};

use super::Marks;

/// Whether a hold still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldState {
    /// It waits.
    Open,
    /// It was decided after all.
    Resolved,
    /// It turned out to be a return that is known.
    Duplicate,
    /// A person closed it without effect.
    Dismissed,
}

impl HoldState {
    pub(crate) const ALL: [Self; 4] =
        [Self::Open, Self::Resolved, Self::Duplicate, Self::Dismissed];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Duplicate => "duplicate",
            Self::Dismissed => "dismissed",
        }
    }
}

/// A hold to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewHold {
    pub(crate) hold_id: String,
    pub(crate) source: String,
    pub(crate) import_id: String,
    pub(crate) ordinal: u64,
    pub(crate) reason: HoldReason,
    pub(crate) detail: String,
    pub(crate) entry: Entry,
    pub(crate) transfer_ids: Vec<String>,
    /// The database and the row that did not take effect there.
    pub(crate) failed: Option<(String, u64)>,
    /// When it is tried again by itself; `None` when a person is needed.
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
}

/// A hold as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldRecord {
    pub(crate) new: NewHold,
    pub(crate) state: HoldState,
    pub(crate) attempts: u32,
    pub(crate) held_at: DateTime<Utc>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) closed_by: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) resolved_position: Option<u64>,
}

/// Which holds to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldFilter {
    pub(crate) state: HoldState,
    pub(crate) import_id: Option<String>,
    pub(crate) reason: Option<HoldReason>,
    pub(crate) transfer_id: Option<String>,
}

/// A change of an open hold that appends nothing to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldChange {
    pub(crate) hold_id: String,
    /// The attempts it was read with.
    pub(crate) attempts: u32,
    pub(crate) to: HoldChangeTo,
}

/// What an open hold becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HoldChangeTo {
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
