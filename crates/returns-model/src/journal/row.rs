//! What a journal row says. It holds everything a follower needs, so that a target restored
//! from a backup gets the very same changes again, whatever the code says by then.

use ach::decision::{Effect, Expected, Flag, Parties, Transfer, TransferType};
use ach::entry::Entry;
use ach::money::Money;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A decision about a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Version of this layout.
    pub schema: u8,
    /// The id of the return or correction, derived from the transfer.
    pub return_id: String,
    /// What is done.
    pub effect: Effect,
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
    /// The transfer that takes the money back; only with [`Effect::Reverse`] and
    /// [`Effect::Reapply`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversal: Option<Reversal>,
    /// The transfer that gives it back again; only with [`Effect::Restore`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restoration: Option<Reversal>,
    /// The return that is dishonored or contested; only with [`Effect::Restore`] and
    /// [`Effect::Reapply`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_return: Option<String>,
    /// What becomes ready to settle; only with [`Effect::ReleaseToSettlement`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Ready>,
    /// Lines for the transfer's `messages`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
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

/// A transfer that a row made may join a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// The id of that transfer: a reversal or a restoration.
    pub transfer_id: String,
    /// From when on.
    pub ready_to_settle_at: DateTime<Utc>,
}

/// The transfer that takes a return's money back, or one that undoes such a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// Its id.
    pub id: String,
    /// Its own trace id.
    pub trace_id: String,
    /// Its tags, in order.
    pub tags: Vec<(String, String)>,
    /// The transfer that it undoes; `None` for the one that was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// What the journal keeps of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferFacts {
    /// Its id.
    pub id: String,
    /// What kind it is.
    pub kind: TransferType,
    /// Its amount.
    #[serde(flatten)]
    pub amount: Money,
    /// The id we gave the acquirer.
    pub trace_id: String,
    /// When the original entry settled, where the system of record keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_on: Option<NaiveDate>,
    /// Whose it is.
    #[serde(flatten)]
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
