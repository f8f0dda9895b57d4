//! Files, and what became of them.

use ach::decision::Effect;
use ach::format::{Emptiness, FileRejected, Finding, Rejected};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A file to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewImport {
    pub(crate) source: String,
    pub(crate) file_name: String,
    /// In hexadecimal.
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
    /// The name of the file in the spool.
    pub(crate) spool_name: String,
    pub(crate) received_at: DateTime<Utc>,
}

/// What became of a file that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    /// It is new.
    New(ImportRecord),
    /// These bytes are known for this source: the import they became.
    Known(ImportRecord),
}

/// How far an import is, with what only that phase has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
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
    pub(crate) fn checked(&self) -> Option<&Checked> {
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
pub(crate) struct Checked {
    /// Entries and unreadable lines.
    pub(crate) items: u64,
    /// Money of debits, minor units.
    pub(crate) debit_minor: i64,
    /// Money of credits, minor units.
    pub(crate) credit_minor: i64,
    /// Differences that were let pass.
    pub(crate) findings: Vec<Finding>,
    /// How the file is empty, if it is.
    pub(crate) emptiness: Option<Emptiness>,
}

/// An import as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportRecord {
    pub(crate) import_id: String,
    pub(crate) new: NewImport,
    /// Another file of this name, with other bytes, came before.
    pub(crate) reissued: bool,
    pub(crate) phase: Phase,
    /// Entries and unreadable lines dealt with so far.
    pub(crate) done: u64,
    pub(crate) totals: Totals,
}

/// A number of entries and their money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) amount_minor: i64,
}

impl Tally {
    /// Counts one more. Money saturates: a sum that large is not of this world, and the
    /// readers refuse files whose totals overflow.
    pub(crate) fn add(&mut self, amount_minor: i64) {
        self.count += 1;
        self.amount_minor = self.amount_minor.saturating_add(amount_minor);
    }
}

/// What became of the entries of a file so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) read: Tally,
    pub(crate) returned: Tally,
    pub(crate) reversed: Tally,
    pub(crate) failed: Tally,
    pub(crate) corrected: Tally,
    #[serde(default)]
    pub(crate) restored: Tally,
    #[serde(default)]
    pub(crate) reapplied: Tally,
    pub(crate) duplicate: Tally,
    pub(crate) held: Tally,
    pub(crate) rejected: Tally,
}

impl Totals {
    /// Where an effect is counted.
    pub(crate) fn of_effect(&mut self, effect: Effect) -> &mut Tally {
        match effect {
            Effect::Return => &mut self.returned,
            Effect::Reverse => &mut self.reversed,
            Effect::Fail => &mut self.failed,
            // No entry makes anything ready; nothing moves by it.
            Effect::Correct | Effect::ReleaseToSettlement => &mut self.corrected,
            Effect::Restore => &mut self.restored,
            Effect::Reapply => &mut self.reapplied,
        }
    }
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedLine {
    pub(crate) ordinal: u64,
    pub(crate) rejected: Rejected,
}
