//! What a journal row says. It holds everything a follower needs, so that a target restored
//! from a backup gets the very same changes again, whatever the code says by then.

use ach::decision::{Effect, Expected, Flag, Parties, Transfer, TransferType};
use ach::entry::Entry;
use ach::money::Money;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// A decision about a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Version of this layout.
    pub(crate) schema: u8,
    /// The id of the return or correction, derived from the transfer.
    pub(crate) return_id: String,
    /// What is done.
    pub(crate) effect: Effect,
    /// The transfer, as far as the journal needs it.
    pub(crate) transfer: TransferFacts,
    /// The state it was decided on.
    pub(crate) expected: Expected,
    /// How it stands to earlier rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relation: Option<Relation>,
    /// What staff should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) flags: Vec<Flag>,
    /// The transfer that takes the money back; only with [`Effect::Reverse`] and
    /// [`Effect::Reapply`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reversal: Option<Reversal>,
    /// The transfer that gives it back again; only with [`Effect::Restore`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restoration: Option<Reversal>,
    /// The return that is dishonored or contested; only with [`Effect::Restore`] and
    /// [`Effect::Reapply`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of_return: Option<String>,
    /// What becomes ready to settle; only with [`Effect::ReleaseToSettlement`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ready: Option<Ready>,
    /// Lines for the transfer's `messages`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages: Vec<String>,
    /// What the code means, in words that may be shown.
    pub(crate) description: String,
    /// The entry it was decided on, account numbers masked.
    pub(crate) entry: Entry,
    /// The source of the file.
    pub(crate) source: String,
    /// The import.
    pub(crate) import_id: String,
    /// The entry's number in its file, counted from 0, unreadable lines included.
    pub(crate) ordinal: u64,
    /// Who asked for it, when a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// When it was decided.
    pub(crate) decided_at: DateTime<Utc>,
}

impl Row {
    /// The layout that this program writes.
    pub(crate) const SCHEMA: u8 = 1;

    /// The code as text; `None` for a validation failure without one.
    pub(crate) fn code(&self) -> Option<String> {
        self.entry.kind.code().map(|(code, _)| code)
    }

    /// Whether it says an earlier row again, to one mirror.
    pub(crate) const fn is_repeat(&self) -> bool {
        matches!(self.relation, Some(Relation::Repeats { .. }))
    }

    /// The position that this row replaces.
    pub(crate) fn supersedes(&self) -> Option<u64> {
        match &self.relation {
            Some(Relation::Supersedes { position }) => Some(*position),
            Some(Relation::Repeats { .. } | Relation::Follows { .. }) | None => None,
        }
    }
}

/// How a row stands to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Relation {
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
pub(crate) struct Ready {
    /// The id of that transfer: a reversal or a restoration.
    pub(crate) transfer_id: String,
    /// From when on.
    pub(crate) ready_to_settle_at: DateTime<Utc>,
}

/// The transfer that takes a return's money back, or one that undoes such a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reversal {
    /// Its id.
    pub(crate) id: String,
    /// Its own trace id.
    pub(crate) trace_id: String,
    /// Its tags, in order.
    pub(crate) tags: Vec<(String, String)>,
    /// The transfer that it undoes; `None` for the one that was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent_id: Option<String>,
}

/// What the journal keeps of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TransferFacts {
    /// Its id.
    pub(crate) id: String,
    /// What kind it is.
    pub(crate) kind: TransferType,
    /// Its amount.
    #[serde(flatten)]
    pub(crate) amount: Money,
    /// The id we gave the acquirer.
    pub(crate) trace_id: String,
    /// When the original entry settled, where the system of record keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settled_on: Option<NaiveDate>,
    /// Whose it is.
    #[serde(flatten)]
    pub(crate) parties: Parties,
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
