//! What a caller asks for, parsed once at the door. Past this module a batch has at least one
//! step, its positions follow each other, and every change says what it was decided on.

mod lookup_key;
mod parse;
mod row_hash;
mod transfer_state;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::identity::TargetIdentity;

pub use lookup_key::{KeyKind, LookupKey};
pub use parse::{Violation, parse_batch};
pub(crate) use parse::{parse_adoption, parse_applied, parse_claim, parse_identity, parse_keys};
pub use row_hash::RowHash;
pub use transfer_state::{ExpectedState, TransferState};

/// Consecutive steps of one journal; never empty.
#[derive(Debug, Clone)]
pub struct StepBatch {
    /// The journal, and the database that it is for.
    pub identity: TargetIdentity,
    /// The hash of the row before the first step; `None` at the start of the journal.
    pub previous: Option<RowHash>,
    /// The steps, positions without gaps.
    pub steps: Vec<Step>,
}

/// One journal row.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its position, counted from 1. It fits the integers of all databases.
    pub position: i64,
    /// Its hash.
    pub hash: RowHash,
    /// What to do; `None` moves only the cursor.
    pub change: Option<TransferChange>,
    /// Why the change must not be made; it becomes an exception instead.
    pub blocked: Option<String>,
}

/// A step that took effect.
#[derive(Debug, Clone)]
pub struct AppliedStep {
    /// Its position.
    pub position: i64,
    /// What it changed.
    pub change: TransferChange,
    /// Whether a later step that changes the status of the same transfer took effect.
    pub followed: bool,
}

/// What a step changes.
#[derive(Debug, Clone)]
pub enum TransferChange {
    /// A return, a dishonor or a contest changes a transfer.
    Update(Update),
    /// A transfer that an earlier step created may join a settlement.
    Release(ReleaseToSettlement),
}

impl TransferChange {
    /// The transfer that it is about.
    pub fn transfer_id(&self) -> &str {
        match self {
            Self::Update(update) => &update.transfer_id,
            Self::Release(release) => &release.transfer_id,
        }
    }

    /// Every transfer that it changes, creates or refers to. Two changes that name the same one
    /// must be written in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let (first, more) = match self {
            Self::Update(update) => {
                let new = update.effect.new_transfer();
                let linked = new.map(|new| [new.id.as_str(), new.parent_id.as_str()]);
                (update.transfer_id.as_str(), linked)
            }
            Self::Release(release) => {
                let both = [release.transfer_id.as_str(); 2];
                (release.returned_transfer_id.as_str(), Some(both))
            }
        };
        std::iter::once(first).chain(more.into_iter().flatten())
    }
}

/// A change of one transfer.
#[derive(Debug, Clone)]
pub struct Update {
    /// The transfer's id.
    pub transfer_id: String,
    /// The state it was decided on.
    pub expected: ExpectedState,
    /// Why it was decided.
    pub reason: ReturnReason,
    /// What to write.
    pub effect: UpdateEffect,
}

/// A transfer that an earlier step created may join a settlement.
#[derive(Debug, Clone)]
pub struct ReleaseToSettlement {
    /// The id of that transfer.
    pub transfer_id: String,
    /// The id of the transfer that was returned, by which a mirror knows it.
    pub returned_transfer_id: String,
    /// From when on it may join a settlement.
    pub ready_to_settle_at: DateTime<Utc>,
    /// When this was decided.
    pub decided_at: DateTime<Utc>,
}

/// Why an update was decided.
#[derive(Debug, Clone)]
pub struct ReturnReason {
    /// The return code; empty when there is none.
    pub code: String,
    /// What the code means.
    pub description: String,
    /// The bank's date of the return.
    pub returned_on: Option<NaiveDate>,
    /// When the update was decided.
    pub decided_at: DateTime<Utc>,
}

/// What an update does.
#[derive(Debug, Clone)]
pub enum UpdateEffect {
    /// The payment failed.
    Fail {
        /// Lines for the transfer's messages.
        messages: Vec<String>,
        /// The acquirer's row as JSON; empty when there is none.
        raw_json: String,
    },
    /// The payment came back before it was funded.
    Return {
        /// Lines for the transfer's messages.
        messages: Vec<String>,
    },
    /// The payment came back after it was funded: the new transfer, a reversal, takes it back.
    Reverse(AddedTransfer),
    /// The return was dishonored: the new transfer, a restoration, gives back what it took.
    Restore(AddedTransfer),
    /// The dishonor was contested: the new transfer, a reversal, takes it again.
    Reapply(AddedTransfer),
}

impl UpdateEffect {
    /// The transfer that it creates.
    pub fn new_transfer(&self) -> Option<&AddedTransfer> {
        match self {
            Self::Fail { .. } | Self::Return { .. } => None,
            Self::Reverse(new) | Self::Restore(new) | Self::Reapply(new) => Some(new),
        }
    }
}

/// A transfer to create: a reversal or a restoration.
#[derive(Debug, Clone)]
pub struct AddedTransfer {
    /// Its id.
    pub id: String,
    /// Its own trace id; empty when there is none.
    pub trace_id: String,
    /// The transfer that it undoes; never empty.
    pub parent_id: String,
    /// The amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Tags, in the order of their names.
    pub tags: BTreeMap<String, String>,
}
