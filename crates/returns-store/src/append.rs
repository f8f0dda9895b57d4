//! Appending to the journal, with everything that belongs to the same step.

use ach::entry::Entry;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::dishonor::Marks;
use returns_model::hold::{HoldState, NewHold};
use returns_model::import::{Moved, RejectedLine, Totals};
use returns_model::journal::{Head, Row};

use crate::StoreError;

/// Why rows are appended. Each cause moves its own progress in the same transaction, by
/// compare-and-set, so that nobody can append for the same cause twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendCause {
    /// The next entries of an import.
    Import {
        import_id: String,
        /// How many entries were done before; the append fails if that is no longer so.
        done_before: u64,
        /// How many are done with this append.
        done_after: u64,
        /// The totals after it.
        totals: Totals,
        /// Whether these are the last entries.
        last: bool,
    },
    /// A hold that could be decided. The append fails if it is no longer open.
    Hold {
        hold_id: String,
        state: HoldState,
        by: String,
        note: String,
    },
    /// A row that did not take effect in a database. The append fails if that was dealt
    /// with already.
    Exception { database: String, position: u64 },
    /// Made transfers that may be settled from now on. The append fails if one of them is ready
    /// already.
    Ready { transfer_ids: Vec<String> },
}

/// Everything that one append writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub cause: AppendCause,
    /// The head that the decision knew. If the journal says more about one of these
    /// transfers by now, the decision is stale and nothing is appended.
    pub seen_position: u64,
    pub writes: Writes,
    pub at: DateTime<Utc>,
}

/// What an append adds besides moving its cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writes {
    pub rows: Vec<Row>,
    pub holds: Vec<NewHold>,
    pub duplicates: Vec<DuplicateLine>,
    pub rejected: Vec<RejectedLine>,
    pub prenotes: Vec<PrenoteLine>,
    /// Entries that were counted before and come to something else now.
    pub moved: Vec<Moved>,
    /// Which of the decided entries may be dishonored.
    pub dishonor: Marks,
}

/// An entry whose return was known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateLine {
    pub ordinal: u64,
    pub line: u64,
    pub transfer_id: String,
    pub of_return_id: String,
    /// The entry itself, if it was recorded.
    pub entry: Option<Entry>,
}

/// A prenote that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrenoteLine {
    pub ordinal: u64,
    pub entry: Entry,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is in the journal, which now ends here.
    Done(Head),
    /// The journal has moved on for one of the transfers: read again and decide again.
    Stale,
    /// Somebody else has dealt with the cause: leave it.
    Lost,
}

impl Appended {
    /// A word for it, of a closed list.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Stale => "stale",
            Self::Lost => "lost",
        }
    }
}

/// The one way into the journal.
#[async_trait]
pub trait AppendStore: Send + Sync {
    /// Appends rows, with everything that belongs to the same step.
    async fn append(&self, append: Append) -> Result<Appended, StoreError>;
}
