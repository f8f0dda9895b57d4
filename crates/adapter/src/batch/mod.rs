//! What a caller asks for, parsed once at the door. Past this module a batch has at least
//! one step, its positions follow each other, and every change says what it was decided on.

mod parse;

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use echeck_proto::adapter::v1::{TransferKeyKind, TransferState};
use uuid::Uuid;

pub use parse::{MAX_ITEMS, Violation, parse_adoption, parse_batch, parse_keys};

/// The hash of a journal row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// A hash is 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a string does not fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }

    /// The bytes, for the wire.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// Consecutive steps of one journal; never empty.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The journal's identity.
    pub journal: Uuid,
    /// The hash of the row before the first step; `None` at the start of the journal.
    pub previous: Option<Hash>,
    /// The steps, positions without gaps.
    pub steps: Vec<Step>,
}

/// One journal row.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its position, counted from 1. It fits the integers of all databases.
    pub position: i64,
    /// Its hash.
    pub hash: Hash,
    /// What to do; `None` moves only the cursor.
    pub change: Option<Change>,
    /// Why the change must not be made; it is an exception instead.
    pub withheld: Option<String>,
}

/// What a step changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// A return, or what came of it, changes a transfer.
    Update(Update),
    /// A transfer that an earlier step made may join a settlement.
    Ready(Ready),
}

impl Change {
    /// The transfer that it is about.
    #[must_use]
    pub fn transfer_id(&self) -> &str {
        match self {
            Self::Update(update) => &update.transfer_id,
            Self::Ready(ready) => &ready.transfer_id,
        }
    }

    /// Every transfer that it changes, makes or refers to. Two changes that name the same one
    /// must be written in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let (first, more) = match self {
            Self::Update(update) => {
                let made = update.effect.made();
                let linked = made.map(|made| [made.id.as_str(), made.parent_id.as_str()]);
                (update.transfer_id.as_str(), linked)
            }
            Self::Ready(ready) => {
                let both = [ready.transfer_id.as_str(); 2];
                (ready.returned_transfer_id.as_str(), Some(both))
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
    /// What it was decided on.
    pub expected: Expected,
    /// Why.
    pub reason: Reason,
    /// What to write.
    pub effect: Effect,
}

/// A transfer that an earlier step made may join a settlement.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The id of that transfer.
    pub transfer_id: String,
    /// The id of the transfer that was returned, by which a mirror knows it.
    pub returned_transfer_id: String,
    /// From when on.
    pub ready_to_settle_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
}

/// The neutral states of a transfer, without the one that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Sent, and not yet known to have worked.
    Pending,
    /// Accepted by the network.
    Succeeded,
    /// Did not work.
    Failed,
    /// Taken back before it was sent.
    Canceled,
    /// Returned before it was funded.
    Returned,
}

impl State {
    /// All states. FAILED comes before RETURNED, so that a spelling that both share is read
    /// as FAILED.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Returned,
    ];

    /// The word of the contract.
    #[must_use]
    pub const fn to_proto(self) -> TransferState {
        match self {
            Self::Pending => TransferState::Pending,
            Self::Succeeded => TransferState::Succeeded,
            Self::Failed => TransferState::Failed,
            Self::Canceled => TransferState::Canceled,
            Self::Returned => TransferState::Returned,
        }
    }

    /// Reads the word of the contract; `None` for unspecified.
    #[must_use]
    pub fn from_proto(state: TransferState) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|candidate| candidate.to_proto() == state)
    }
}

/// The state that a change was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The state.
    pub state: State,
    /// Whether it was in a deposit, where that was part of the decision.
    pub in_deposit: Option<bool>,
}

/// Why a change was decided.
#[derive(Debug, Clone)]
pub struct Reason {
    /// The return code; empty when there is none.
    pub code: String,
    /// What it means.
    pub description: String,
    /// When the bank dated the return.
    pub returned_on: Option<NaiveDate>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
}

/// What an update does.
#[derive(Debug, Clone)]
pub enum Effect {
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
    Reverse(NewTransfer),
    /// The return was dishonored: the new transfer, a restoration, gives back what it took.
    Restore(NewTransfer),
    /// The dishonor was contested: the new transfer, a reversal, takes it again.
    Reapply(NewTransfer),
}

impl Effect {
    /// The transfer that it makes.
    #[must_use]
    pub fn made(&self) -> Option<&NewTransfer> {
        match self {
            Self::Fail { .. } | Self::Return { .. } => None,
            Self::Reverse(made) | Self::Restore(made) | Self::Reapply(made) => Some(made),
        }
    }
}

/// A transfer to make: a reversal or a restoration.
#[derive(Debug, Clone)]
pub struct NewTransfer {
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
    pub tags: std::collections::BTreeMap<String, String>,
}

/// A kind of id that a mapping may have a column for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyKind {
    /// The transfer's own id.
    TransferId,
    /// The id we gave the acquirer.
    TraceId,
    /// The acquirer's id of the payment.
    PaymentId,
    /// The ACH trace number of the original entry.
    AchTrace,
    /// The individual identification number.
    IndividualId,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::TransferId,
        Self::TraceId,
        Self::PaymentId,
        Self::AchTrace,
        Self::IndividualId,
    ];

    /// The name of the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransferId => TransferKeyKind::TransferId,
            Self::TraceId => TransferKeyKind::TraceId,
            Self::PaymentId => TransferKeyKind::PaymentId,
            Self::AchTrace => TransferKeyKind::AchTrace,
            Self::IndividualId => TransferKeyKind::IndividualId,
        }
        .as_str_name()
    }
}

/// One id to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Which id it is.
    pub kind: KeyKind,
    /// The id; never empty.
    pub value: String,
}
