//! What a journal row says. It holds everything a follower needs, so that a target restored
//! from a backup gets the very same changes again, whatever the code says by then.

use ach::decision::{Expected, Flag, Parties, Transfer, TransferType};
use ach::entry::Entry;
use ach::money::Money;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::RowEffect;

/// A decision about a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Version of this layout.
    pub schema: u8,
    /// The id of the return or correction, derived from the transfer.
    pub return_id: String,
    /// What is done, with just what belongs to it.
    pub effect: RowEffect,
    /// The transfer, as far as the journal needs it.
    pub transfer: TransferFacts,
    /// The state it was decided on.
    pub expected: Expected,
    /// How it stands to earlier rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// What staff should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Whether the source's originator marks every further presentment of a debit by the rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_conforming: bool,
    /// What the code means, in words that may be shown.
    pub description: String,
    /// The entry it was decided on, account numbers masked.
    pub entry: Entry,
    /// The source of the file.
    pub source: String,
    /// The import.
    pub import_id: String,
    /// The entry's number in its file, counted from 0, unreadable lines included.
    pub ordinal: u64,
    /// Who asked for it, when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
}

impl Row {
    /// The layout that this program writes.
    pub const SCHEMA: u8 = 1;

    /// The code as text; `None` for a validation failure without one.
    pub fn code(&self) -> Option<String> {
        self.entry.kind.code().map(|(code, _)| code)
    }

    /// Whether it says an earlier row again, to one mirror.
    pub const fn is_repeat(&self) -> bool {
        matches!(self.relation, Some(Relation::Repeats { .. }))
    }

    /// The import whose entry the row is about. A row that only follows another is about none: it
    /// may come long after the import was finished.
    pub fn of_import(&self) -> Option<&str> {
        match self.relation {
            Some(Relation::Follows { .. }) => None,
            Some(Relation::Supersedes { .. } | Relation::Repeats { .. }) | None => {
                Some(&self.import_id)
            }
        }
    }

    /// The position that this row replaces.
    pub fn supersedes(&self) -> Option<u64> {
        match &self.relation {
            Some(Relation::Supersedes { position }) => Some(*position),
            Some(Relation::Repeats { .. } | Relation::Follows { .. }) | None => None,
        }
    }
}

/// How a row stands to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Relation {
    /// It replaces a row that did not take effect in the system of record.
    Supersedes {
        /// That row.
        position: u64,
    },
    /// It says more about what an earlier row did. Every database has both.
    Follows {
        /// That row.
        position: u64,
    },
    /// It says an earlier row again, to one mirror that did not take it. For every other
    /// database it is an empty step.
    Repeats {
        /// That row.
        position: u64,
        /// The mirror.
        database: String,
    },
}

/// What the journal keeps of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferFacts {
    /// Its id.
    pub id: String,
    /// What kind it is.
    pub kind: TransferType,
    /// Its amount.
    pub amount: Money,
    /// The id we gave the acquirer.
    pub trace_id: String,
    /// When the original entry settled, where the system of record keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_on: Option<NaiveDate>,
    /// Whose it is.
    pub parties: Parties,
}

impl From<&Transfer> for TransferFacts {
    fn from(transfer: &Transfer) -> Self {
        Self {
            id: transfer.id.clone(),
            kind: transfer.kind,
            amount: transfer.amount,
            trace_id: transfer.trace_id.clone(),
            settled_on: transfer.settled_on,
            parties: transfer.parties.clone(),
        }
    }
}
