//! The decision: what one entry of a file means for one transfer. A pure function of the
//! entry, the transfer as it is now, what is already known about it, and the date.
//!
//! Whatever the table does not name is held for a person; nothing is ever dropped.

mod hold;
mod resolve;
mod stage;
mod transfer;
mod wording;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use hold::{Hold, HoldReason};
pub use resolve::{EntryKey, MatchRule, Resolution, TransferKeyKind, resolve};
pub use stage::Undone;
pub use transfer::{Expected, FundingPolicy, Parties, Transfer, TransferState, TransferType};
pub use wording::{failure_messages, return_messages, reversal_tags, stage_tags};

use crate::code::ReturnCode;
use crate::entry::{Coded, Direction, Entry, EntryKind};

/// Something the journal already says about the transfer and that still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorDecision {
    /// The id of the return or correction.
    pub return_id: String,
    /// What was done about it.
    pub effect: Effect,
    /// The entry it was decided on.
    pub kind: EntryKind,
    /// The return's own trace number, if its file had one.
    pub return_trace: Option<String>,
    /// The acquirer's id of the return, if its file had one.
    pub case_id: Option<String>,
}

/// What is to be done about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Append it to the journal.
    Act(Act),
    /// It is known already; count it and do nothing else.
    Duplicate {
        /// The id of the return or correction that is known.
        of: String,
    },
    /// Keep it for a person, or for the transfer to appear.
    Hold(Hold),
}

/// An effect on one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What is done.
    pub effect: Effect,
    /// The state that the update must still find.
    pub expected: Expected,
    /// What staff should know about it.
    pub flags: Vec<Flag>,
    /// What it undoes; only with [`Effect::Restore`] and [`Effect::Reapply`].
    pub undone: Option<Undone>,
}

/// What is done to a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It failed: never accepted, or a credit that came back.
    Fail,
    /// It was returned before it was funded; no money moves.
    Return,
    /// It was returned after it was funded; a reversal takes the money back.
    Reverse,
    /// Its data must change; money and state stay as they are.
    Correct,
    /// Its return was dishonored; a new transfer gives back what the return took.
    Restore,
    /// The dishonor was contested; a new transfer takes it again, for good.
    Reapply,
    /// A transfer that one of the above made may join a settlement. Never decided on an entry.
    ReleaseToSettlement,
}

/// Something worth a person's look, though the effect is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The code is meant for the other direction (R01 on a credit, say).
    CodeUnusualForDirection,
    /// A refund came back: the customer is still owed the money.
    RefundCameBack,
}

/// Decides what `entry` means. `known` is what the journal says about the transfer that
/// `found` names, in order of position; `today` settles which codes are in force.
#[must_use]
pub fn decide(
    entry: &Entry,
    found: &Resolution,
    known: &[PriorDecision],
    policy: FundingPolicy,
    today: NaiveDate,
) -> Decision {
    if let Some(hold) = held_by_kind(entry, today) {
        return Decision::Hold(hold);
    }
    let transfer = match found {
        Resolution::One(transfer) => transfer,
        Resolution::Unknown => return Decision::Hold(Hold::unknown_transfer(entry)),
        Resolution::Ambiguous(ids) => return Decision::Hold(Hold::ambiguous_transfer(ids)),
    };
    if let Some(prior) = known.iter().find(|prior| same(entry, prior)) {
        return Decision::Duplicate {
            of: prior.return_id.clone(),
        };
    }
    match &entry.kind {
        EntryKind::Correction { .. } => Decision::Act(Act {
            effect: Effect::Correct,
            expected: Expected::of(transfer, policy),
            flags: Vec::new(),
            undone: None,
        }),
        EntryKind::ValidationFailure { .. } => decided(
            second_return(known).or_else(|| fits(entry, transfer)),
            || validation_failure(transfer, policy),
        ),
        EntryKind::Return { code, .. } => decided(
            second_return(known).or_else(|| fits(entry, transfer)),
            || returned(code, transfer, policy),
        ),
        EntryKind::Dishonored {
            code: Coded::Known(code),
            return_code,
            ..
        } => decided(fits(entry, transfer), || {
            stage::dishonored(*code, return_code.as_ref(), entry, transfer, known)
        }),
        EntryKind::Contested {
            code: Coded::Known(code),
            ..
        } => decided(fits(entry, transfer), || {
            stage::contested(*code, entry, transfer, known)
        }),
        // Held by kind above; said again so that a new kind cannot slip through.
        EntryKind::Dishonored {
            code: Coded::Unknown(text),
            ..
        }
        | EntryKind::Contested {
            code: Coded::Unknown(text),
            ..
        } => Decision::Hold(Hold::unknown_code(text)),
        EntryKind::RefusedCorrection { .. } => Decision::Hold(Hold::refused_correction(entry)),
    }
}

fn decided(hold: Option<Hold>, act: impl FnOnce() -> Result<Act, Hold>) -> Decision {
    match hold {
        Some(hold) => Decision::Hold(hold),
        None => match act() {
            Ok(act) => Decision::Act(act),
            Err(hold) => Decision::Hold(hold),
        },
    }
}

/// What is held whatever the transfer is: refused corrections and unknown codes.
fn held_by_kind(entry: &Entry, today: NaiveDate) -> Option<Hold> {
    match &entry.kind {
        EntryKind::RefusedCorrection { .. } => Some(Hold::refused_correction(entry)),
        EntryKind::Return {
            code: Coded::Unknown(text),
            ..
        }
        | EntryKind::Dishonored {
            code: Coded::Unknown(text),
            ..
        }
        | EntryKind::Contested {
            code: Coded::Unknown(text),
            ..
        } => Some(Hold::unknown_code(text)),
        EntryKind::Return {
            code: Coded::Known(code),
            ..
        }
        | EntryKind::Dishonored {
            code: Coded::Known(code),
            ..
        }
        | EntryKind::Contested {
            code: Coded::Known(code),
            ..
        } => (!code.in_force_on(today)).then(|| Hold::unknown_code(code.as_str())),
        // A retired change code (C04) is still used and changes nothing by itself.
        EntryKind::Correction {
            code: Coded::Unknown(text),
            ..
        } => Some(Hold::unknown_code(text)),
        EntryKind::Correction {
            code: Coded::Known(_),
            ..
        }
        | EntryKind::ValidationFailure { .. } => None,
    }
}

/// Whether `entry` tells of the very thing that `prior` recorded. Codes must agree; an id
/// that both carry must agree too. Two returns with different ids are two returns.
fn same(entry: &Entry, prior: &PriorDecision) -> bool {
    let same_reason = match (&entry.kind, &prior.kind) {
        (EntryKind::Return { code: a, .. }, EntryKind::Return { code: b, .. })
        | (EntryKind::Dishonored { code: a, .. }, EntryKind::Dishonored { code: b, .. })
        | (EntryKind::Contested { code: a, .. }, EntryKind::Contested { code: b, .. }) => a == b,
        (
            EntryKind::Correction {
                code: a,
                corrected: new,
            },
            EntryKind::Correction {
                code: b,
                corrected: old,
            },
        ) => a == b && new == old,
        (EntryKind::ValidationFailure { .. }, EntryKind::ValidationFailure { .. }) => true,
        _ => false,
    };
    same_reason
        && agree(
            entry.keys.return_trace.as_deref(),
            prior.return_trace.as_deref(),
        )
        && agree(entry.keys.case_id.as_deref(), prior.case_id.as_deref())
}

fn agree(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        (None, _) | (_, None) => true,
    }
}

/// A transfer has one return. A second, different one is money taken twice by the bank, or
/// a mistake: a person must see it. A later stage is none: it may still stand when its return
/// turned out to have had no effect, and that is decided again.
fn second_return(known: &[PriorDecision]) -> Option<Hold> {
    known
        .iter()
        .find(|prior| match prior.effect {
            Effect::Fail | Effect::Return | Effect::Reverse => true,
            Effect::Correct | Effect::Restore | Effect::Reapply | Effect::ReleaseToSettlement => {
                false
            }
        })
        .map(Hold::second_return)
}

/// Direction, currency and amount against the transfer.
fn fits(entry: &Entry, transfer: &Transfer) -> Option<Hold> {
    let wrong_way = match (entry.direction, transfer.kind) {
        (Direction::Debit, TransferType::Credit | TransferType::Refund)
        | (Direction::Credit, TransferType::Debit) => true,
        (Direction::Unknown, _)
        | (Direction::Debit, TransferType::Debit)
        | (Direction::Credit, TransferType::Credit | TransferType::Refund)
        | (_, TransferType::Other) => false,
    };
    if wrong_way {
        return Some(Hold::wrong_direction(entry.direction, transfer));
    }
    let amount = entry.original_amount.or(entry.amount)?;
    (amount != transfer.amount).then(|| Hold::amount_differs(amount, transfer))
}

fn validation_failure(transfer: &Transfer, policy: FundingPolicy) -> Result<Act, Hold> {
    match (transfer.kind, transfer.state) {
        (TransferType::Debit, TransferState::Pending) => Ok(Act {
            effect: Effect::Fail,
            expected: Expected::of(transfer, policy),
            flags: Vec::new(),
            undone: None,
        }),
        (
            TransferType::Debit,
            TransferState::Succeeded
            | TransferState::Failed
            | TransferState::Canceled
            | TransferState::Returned
            | TransferState::Unknown,
        )
        | (TransferType::Credit | TransferType::Refund | TransferType::Other, _) => {
            Err(Hold::unexpected_validation_failure(transfer))
        }
    }
}

fn returned(
    code: &Coded<ReturnCode>,
    transfer: &Transfer,
    policy: FundingPolicy,
) -> Result<Act, Hold> {
    let mut flags = Vec::new();
    let effect = match transfer.kind {
        TransferType::Debit => returned_debit(transfer, policy)?,
        TransferType::Credit => failed_credit(transfer)?,
        TransferType::Refund => {
            flags.push(Flag::RefundCameBack);
            failed_credit(transfer)?
        }
        TransferType::Other => return Err(Hold::unsupported_type(transfer)),
    };
    if code
        .known()
        .is_some_and(|code| unusual_for(code, transfer.kind))
    {
        flags.push(Flag::CodeUnusualForDirection);
    }
    Ok(Act {
        effect,
        expected: Expected::of(transfer, policy),
        flags,
        undone: None,
    })
}

/// Not funded: it is returned. Funded: it stays, and a reversal takes the money back.
fn returned_debit(transfer: &Transfer, policy: FundingPolicy) -> Result<Effect, Hold> {
    match (policy, transfer.state, transfer.in_deposit) {
        (FundingPolicy::State, TransferState::Pending, _)
        | (
            FundingPolicy::Deposit,
            TransferState::Pending | TransferState::Succeeded,
            Some(false),
        ) => Ok(Effect::Return),
        (FundingPolicy::State, TransferState::Succeeded, _)
        | (FundingPolicy::Deposit, TransferState::Succeeded, Some(true)) => Ok(Effect::Reverse),
        // A pending debit in a deposit contradicts itself, and without the deposit fact the
        // policy cannot be followed.
        (FundingPolicy::Deposit, TransferState::Pending, Some(true) | None)
        | (FundingPolicy::Deposit, TransferState::Succeeded, None)
        | (
            _,
            TransferState::Failed
            | TransferState::Canceled
            | TransferState::Returned
            | TransferState::Unknown,
            _,
        ) => Err(Hold::state_conflict(transfer)),
    }
}

fn failed_credit(transfer: &Transfer) -> Result<Effect, Hold> {
    match transfer.state {
        TransferState::Pending | TransferState::Succeeded => Ok(Effect::Fail),
        TransferState::Failed
        | TransferState::Canceled
        | TransferState::Returned
        | TransferState::Unknown => Err(Hold::state_conflict(transfer)),
    }
}

fn unusual_for(code: ReturnCode, kind: TransferType) -> bool {
    match kind {
        TransferType::Debit => code.info().is_unusual_for(Direction::Debit),
        TransferType::Credit | TransferType::Refund => {
            code.info().is_unusual_for(Direction::Credit)
        }
        TransferType::Other => false,
    }
}
