//! Files, and what became of them.

use ach::decision::Effect;
use ach::format::{Emptiness, FileRejected, Finding, Rejected};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A file to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    pub source: String,
    pub file_name: String,
    /// In hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
    /// The name of the file in the spool.
    pub spool_name: String,
    pub received_at: DateTime<Utc>,
}

/// What became of a file that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is new.
    New(ImportRecord),
    /// These bytes are known for this source: the import they became.
    Known(ImportRecord),
}

/// How far an import is, with what only that phase has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The whole file is being checked; nothing is decided.
    Checking,
    /// Refused whole.
    Rejected {
        why: FileRejected,
        at: DateTime<Utc>,
    },
    /// Entries are being decided.
    Deciding { checked: Checked },
    /// Every entry is decided, held, known or unreadable.
    Decided {
        checked: Checked,
        decided_at: DateTime<Utc>,
    },
    /// Every database has what was decided.
    Applied {
        checked: Checked,
        decided_at: DateTime<Utc>,
        applied_at: DateTime<Utc>,
    },
}

impl Phase {
    /// What the check of the whole file found, once it is over.
    pub fn checked(&self) -> Option<&Checked> {
        match self {
            Self::Checking | Self::Rejected { .. } => None,
            Self::Deciding { checked }
            | Self::Decided { checked, .. }
            | Self::Applied { checked, .. } => Some(checked),
        }
    }
}

/// What the check of a whole file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Entries and unreadable lines.
    pub items: u64,
    /// Entries that are not returns, and rows that the source's profile leaves out.
    #[serde(default)]
    pub left_out: u64,
    /// Money of debits, minor units.
    pub debit_minor: i64,
    /// Money of credits, minor units.
    pub credit_minor: i64,
    /// Differences that were tolerated.
    pub findings: Vec<Finding>,
    /// How the file is empty, if it is.
    pub emptiness: Option<Emptiness>,
}

/// An import as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    pub import_id: String,
    pub new: NewImport,
    /// Another file of this name, with other bytes, came before.
    pub reissued: bool,
    pub phase: Phase,
    /// Entries and unreadable lines dealt with so far.
    pub done: u64,
    pub totals: Totals,
}

/// A number of entries and their money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    pub amount_minor: i64,
}

impl Tally {
    /// Counts one more. Money saturates: a sum that large is not of this world, and the
    /// readers refuse files whose totals overflow.
    pub fn add(&mut self, amount_minor: i64) {
        self.count += 1;
        self.amount_minor = self.amount_minor.saturating_add(amount_minor);
    }
}

/// What became of the entries of a file so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    pub read: Tally,
    pub returned: Tally,
    pub reversed: Tally,
    pub failed: Tally,
    pub corrected: Tally,
    #[serde(default)]
    pub restored: Tally,
    #[serde(default)]
    pub reapplied: Tally,
    pub duplicate: Tally,
    pub held: Tally,
    pub rejected: Tally,
}

impl Totals {
    /// Where an effect is counted.
    pub fn of_effect(&mut self, effect: Effect) -> &mut Tally {
        match effect {
            Effect::Return => &mut self.returned,
            Effect::Reverse => &mut self.reversed,
            Effect::Fail => &mut self.failed,
            Effect::Correct => &mut self.corrected,
            Effect::Restore => &mut self.restored,
            Effect::Reapply => &mut self.reapplied,
        }
    }
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    pub ordinal: u64,
    pub rejected: Rejected,
}
