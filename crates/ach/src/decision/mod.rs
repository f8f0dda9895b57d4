//! The decision: what one entry of a file means for one transfer. A pure function of the
//! entry, the transfer as it is now, what the journal says about it, and the date.
//!
//! An entry that the table does not cover is held for a person; nothing is ever dropped.

mod contradiction;
mod duplicate;
mod hold;
mod resolve;
mod returned;
mod stage;
mod tie_out;
mod transfer;
mod wording;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub(crate) use contradiction::is_same_id;
pub use hold::{Hold, HoldReason};
pub use resolve::{EntryKey, MatchRule, Resolution, TransferKeyKind, resolve};
pub use tie_out::tie_out;
pub use transfer::{Expected, FundingPolicy, Parties, Transfer, TransferState, TransferType};
pub use wording::{failure_messages, return_messages, reversal_tags, stage_tags};

use crate::code::ReturnCode;
use crate::entry::{Coded, Entry, EntryKeys, EntryKind};
use crate::money::Money;
use stage::{Contest, Dishonor};

/// A decision about the transfer that is in the journal and still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorDecision {
    /// The id of the return or correction.
    pub return_id: String,
    /// What was done about it.
    pub effect: Effect,
    /// The entry it was decided on.
    pub kind: EntryKind,
    /// Its ids.
    pub keys: EntryKeys,
    /// The amount that was compared with the transfer's, if its file had one.
    pub amount: Option<Money>,
}

impl PriorDecision {
    /// What was done about `entry`, under the id of a return or correction.
    pub fn on(entry: &Entry, return_id: impl Into<String>, effect: Effect) -> Self {
        Self {
            return_id: return_id.into(),
            effect,
            kind: entry.kind.clone(),
            keys: entry.keys.clone(),
            amount: entry.amount_to_match(),
        }
    }
}

/// What is to be done about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'t> {
    /// Append it to the journal.
    Act(Act<'t>),
    /// It is known already; count it and do nothing else.
    Duplicate {
        /// The transfer that it is about.
        transfer: &'t Transfer,
        /// The id of the return or correction that is known.
        of: String,
    },
    /// A prenote came back: an entry of zero that asked whether an account exists. It returns no
    /// payment, so no transfer is looked for and no money moves; count it and do nothing else.
    Prenote,
    /// Hold it for a person, or until the transfer appears.
    Hold(Hold),
}

/// An effect on one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act<'t> {
    /// The transfer, as it is now.
    pub transfer: &'t Transfer,
    /// What is done.
    pub action: Action,
    /// The state that the update must still find.
    pub expected: Expected,
    /// What staff should know about it.
    pub flags: Vec<Flag>,
}

impl<'t> Act<'t> {
    const fn on(transfer: &'t Transfer, action: Action, expected: Expected) -> Self {
        Self {
            transfer,
            action,
            expected,
            flags: Vec::new(),
        }
    }
}

/// What is done to a transfer, with what belongs to just that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// See [`Effect::Fail`].
    Fail,
    /// See [`Effect::Return`].
    Return,
    /// See [`Effect::Reverse`].
    Reverse,
    /// See [`Effect::Correct`].
    Correct,
    /// See [`Effect::Restore`].
    Restore {
        /// The return that is dishonored.
        return_id: String,
        /// Whether a reversal took its money, so that this is what is given back.
        was_reversed: bool,
    },
    /// See [`Effect::Reapply`].
    Reapply {
        /// The return that all stages are about.
        return_id: String,
        /// The dishonor that is contested.
        dishonor_id: String,
    },
}

impl Action {
    /// The kind of effect.
    pub const fn effect(&self) -> Effect {
        match self {
            Self::Fail => Effect::Fail,
            Self::Return => Effect::Return,
            Self::Reverse => Effect::Reverse,
            Self::Correct => Effect::Correct,
            Self::Restore { .. } => Effect::Restore,
            Self::Reapply { .. } => Effect::Reapply,
        }
    }
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
}

/// Something that a person should look at, though the effect is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// The code is meant for the other direction (R01 on a credit, say).
    CodeUnusualForDirection,
    /// A refund came back: the customer is still owed the money.
    RefundCameBack,
    /// The bank suspects fraud (R17 with QUESTIONABLE).
    Questionable,
}

/// What an entry reports, once its code is known to be in force.
enum Event {
    Correction,
    ValidationFailure,
    Return(ReturnCode),
    Dishonor(Dishonor),
    Contest(Contest),
}

impl Event {
    /// Refused corrections and unknown codes are held for every transfer.
    fn of(entry: &Entry, today: NaiveDate) -> Result<Self, Hold> {
        // The rules of the entry's own day, whenever it is read.
        let day = entry.own_date().unwrap_or(today);
        let in_force = |code: &Coded<ReturnCode>| {
            let known = code.known().filter(|known| known.in_force_on(day));
            known.ok_or_else(|| Hold::unknown_code(&code.to_string()))
        };
        let known = |code: &Option<Coded<ReturnCode>>| code.as_ref().and_then(Coded::known);
        match &entry.kind {
            EntryKind::Return { code, .. } => in_force(code).map(Self::Return),
            EntryKind::Dishonored {
                code, return_code, ..
            } => Ok(Self::Dishonor(Dishonor {
                code: in_force(code)?,
                return_code: known(return_code),
            })),
            EntryKind::Contested {
                code,
                return_code,
                dishonor_code,
                ..
            } => Ok(Self::Contest(Contest {
                code: in_force(code)?,
                return_code: known(return_code),
                dishonor_code: known(dishonor_code),
            })),
            // A retired change code (C04) is still used and changes nothing by itself.
            EntryKind::Correction { code, .. } => match code {
                Coded::Known(_) => Ok(Self::Correction),
                Coded::Unknown(text) => Err(Hold::unknown_code(text)),
            },
            EntryKind::RefusedCorrection { code, .. } => Err(Hold::refused_correction(code)),
            EntryKind::ValidationFailure { .. } => Ok(Self::ValidationFailure),
        }
    }
}

/// Decides what `entry` means. `known` is what the journal says about the transfer that
/// `found` names, in order of position; `today` settles which codes are in force where the
/// entry has no date.
pub fn decide<'t>(
    entry: &Entry,
    found: &'t Resolution,
    known: &[PriorDecision],
    policy: FundingPolicy,
    today: NaiveDate,
) -> Decision<'t> {
    act_or_duplicate(entry, found, known, policy, today).unwrap_or_else(Decision::Hold)
}

fn act_or_duplicate<'t>(
    entry: &Entry,
    found: &'t Resolution,
    known: &[PriorDecision],
    policy: FundingPolicy,
    today: NaiveDate,
) -> Result<Decision<'t>, Hold> {
    let event = Event::of(entry, today)?;
    // A payment of ours that it names was no prenote, whatever its amount.
    if entry.is_prenote() && matches!(found, Resolution::Unknown) {
        return Ok(Decision::Prenote);
    }
    let transfer = match found {
        Resolution::One(transfer) | Resolution::Contradicted { transfer, .. } => transfer,
        Resolution::Unknown => return Err(Hold::unknown_transfer(entry)),
        Resolution::Ambiguous(ids) => return Err(Hold::ambiguous_transfer(ids)),
        Resolution::Unreadable { why, .. } => return Err(Hold::unreadable_transfer(why)),
    };
    let contradiction = match found {
        Resolution::Contradicted { why, .. } => Some(why),
        Resolution::One(_)
        | Resolution::Unknown
        | Resolution::Ambiguous(_)
        | Resolution::Unreadable { .. } => None,
    };
    let same = known.iter().find(|prior| {
        // Ids that contradict may be of another payment, unless a person has said whose they are.
        duplicate::is_same(entry, prior)
            && (contradiction.is_none() || duplicate::has_its_ids(entry, prior))
    });
    if let Some(prior) = same {
        return Ok(Decision::Duplicate {
            transfer,
            of: prior.return_id.clone(),
        });
    }
    if let Some(why) = contradiction {
        return Err(Hold::ids_contradict(why));
    }
    let act = match event {
        Event::Correction if entry.kind.has_unreadable_data() => {
            return Err(Hold::unreadable_correction(entry));
        }
        Event::Correction => Act::on(transfer, Action::Correct, Expected::of(transfer, policy)),
        Event::ValidationFailure => {
            duplicate::check_no_return(known)?;
            check_fit(entry, transfer)?;
            check_payment(entry, transfer)?;
            returned::validation_failure(transfer, policy)?
        }
        Event::Return(code) => {
            duplicate::check_no_return(known)?;
            check_fit(entry, transfer)?;
            check_payment(entry, transfer)?;
            let mut act = returned::returned(code, transfer, policy)?;
            act.flags
                .extend(entry.is_questionable().then_some(Flag::Questionable));
            act
        }
        Event::Dishonor(dishonor) => {
            check_fit(entry, transfer)?;
            stage::dishonored(&dishonor, entry, transfer, known)?
        }
        Event::Contest(contest) => {
            check_fit(entry, transfer)?;
            stage::contested(&contest, entry, transfer, known)?
        }
    };
    Ok(Decision::Act(act))
}

/// What came back must be a payment, and not one of our own reversals: whose money that moves, a person
/// finds out.
fn check_payment(entry: &Entry, transfer: &Transfer) -> Result<(), Hold> {
    match entry.is_of_reversal() {
        true => Err(Hold::return_of_reversal(transfer)),
        false => Ok(()),
    }
}

/// Direction, currency and amount must be the transfer's.
fn check_fit(entry: &Entry, transfer: &Transfer) -> Result<(), Hold> {
    if entry.direction.contradicts(transfer.kind.direction()) {
        return Err(Hold::wrong_direction(entry.direction, transfer));
    }
    match entry.amount_to_match() {
        Some(amount) if amount != transfer.amount => Err(Hold::amount_differs(amount, transfer)),
        Some(_) | None => Ok(()),
    }
}
