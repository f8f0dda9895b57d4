//! The later stages of a return: the originating bank dishonors it (R61, R62, R67 to R70), and
//! the customer's bank contests that (R71 to R77). See the Nacha Operating Rules, Appendix Four,
//! Parts 4.5 and 4.6, and Article Two, §2.12.5.
//!
//! A later stage rests on what the journal says, not on the transfer's state now: the stage
//! before may be on its way to the system of record still, and the update's WHERE clause names
//! the state in which that stage leaves the transfer.

use super::transfer::{Expected, Transfer, TransferState, TransferType};
use super::{Act, Effect, Hold, PriorDecision, agree};
use crate::code::ReturnCode;
use crate::entry::{Coded, Entry, EntryKind};

/// What a later stage undoes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The return that it is all about.
    pub return_id: String,
    /// What is undone: that return, or its dishonor.
    pub prior_id: String,
    /// What that had done.
    pub prior_effect: Effect,
}

/// How far a return has come.
enum ReturnProgress<'a> {
    /// There is none.
    NoReturn,
    /// It stands.
    Returned(&'a PriorDecision),
    /// It was dishonored.
    Dishonored {
        of: &'a PriorDecision,
        dishonor: &'a PriorDecision,
    },
    /// The dishonor was contested, which the originating bank must accept: the end.
    Contested,
}

impl<'a> ReturnProgress<'a> {
    fn of(known: &'a [PriorDecision]) -> Self {
        let mut stage = Self::NoReturn;
        for prior in known {
            stage = match (prior.effect, stage) {
                (Effect::Fail | Effect::Return | Effect::Reverse, Self::NoReturn)
                    if matches!(prior.kind, EntryKind::Return { .. }) =>
                {
                    Self::Returned(prior)
                }
                (Effect::Restore, Self::Returned(of)) => Self::Dishonored {
                    of,
                    dishonor: prior,
                },
                (Effect::Reapply, Self::Dishonored { .. }) => Self::Contested,
                (
                    Effect::Fail
                    | Effect::Return
                    | Effect::Reverse
                    | Effect::Correct
                    | Effect::Restore
                    | Effect::Reapply
                    | Effect::ReleaseToSettlement,
                    stage,
                ) => stage,
            };
        }
        stage
    }
}

/// What a dishonor does: what the return took is given back.
pub(super) fn dishonored(
    code: ReturnCode,
    return_code: Option<&Coded<ReturnCode>>,
    entry: &Entry,
    transfer: &Transfer,
    known: &[PriorDecision],
) -> Result<Act, Hold> {
    let hold = |why: &str| Err(Hold::dishonored(code, why));
    if is_international(entry) {
        return hold("a return of an international entry (IAT) cannot be dishonored");
    }
    let of = match ReturnProgress::of(known) {
        ReturnProgress::Returned(of) => of,
        ReturnProgress::NoReturn => {
            return hold(&format!(
                "no return of transfer {} is known yet; it is looked up again",
                transfer.id
            ));
        }
        ReturnProgress::Dishonored { dishonor, .. } => {
            return hold(&format!(
                "another dishonor, {}, stands already",
                dishonor.return_id
            ));
        }
        ReturnProgress::Contested => {
            return hold(
                "the dishonor was contested, and that is the end of it: what is left is between \
                 the banks, outside the network",
            );
        }
    };
    let trace = entry.keys.return_trace.as_deref();
    if let Some(why) = another_return(trace, return_code, of) {
        return hold(&why);
    }
    // Of two returns, the one that did nothing here may be the one that is dishonored.
    if code == ReturnCode::R67 && (trace.is_none() || of.return_trace.is_none()) {
        return hold(&format!(
            "it does not say by a trace number which of two returns was one too many; {} stands",
            of.return_id
        ));
    }
    let allowed = matches!(
        prior_code(of),
        Some(ReturnCode::R06 | ReturnCode::R31) | None
    );
    if code == ReturnCode::R70 && !allowed {
        return hold("only a return with R06 or R31 can be dishonored with R70");
    }
    act(Effect::Restore, transfer, of, of)
}

/// What a contest does: the return counts again.
pub(super) fn contested(
    code: ReturnCode,
    entry: &Entry,
    transfer: &Transfer,
    known: &[PriorDecision],
) -> Result<Act, Hold> {
    let hold = |why: &str| Err(Hold::contested(code, why));
    let EntryKind::Contested {
        return_code,
        dishonor_code,
        ..
    } = &entry.kind
    else {
        return hold("it is no contest");
    };
    let (of, dishonor) = match ReturnProgress::of(known) {
        ReturnProgress::Dishonored { of, dishonor } => (of, dishonor),
        ReturnProgress::NoReturn | ReturnProgress::Returned(_) => {
            return hold(&format!(
                "no dishonor of a return of transfer {} is known yet; it is looked up again",
                transfer.id
            ));
        }
        ReturnProgress::Contested => return hold("the dishonor was contested already"),
    };
    if let Some(why) = another_return(entry.keys.return_trace.as_deref(), return_code.as_ref(), of)
    {
        return hold(&why);
    }
    let was = prior_code(dishonor);
    let said = dishonor_code.as_ref().and_then(Coded::known);
    if let (Some(was), Some(said)) = (was, said)
        && was != said
    {
        return hold(&format!("it answers a dishonor with {said}; {was} stands"));
    }
    if let (Some(answers), Some(was)) = (answered_by(code), was)
        && answers != was
    {
        return hold(&format!("{code} answers only {answers}; {was} stands"));
    }
    act(Effect::Reapply, transfer, of, dishonor)
}

/// Which dishonor a contest answers. One that is misrouted or late (R71, R72) can be any.
const ANSWERS: [(ReturnCode, ReturnCode); 5] = [
    (ReturnCode::R73, ReturnCode::R68),
    (ReturnCode::R74, ReturnCode::R69),
    (ReturnCode::R75, ReturnCode::R67),
    (ReturnCode::R76, ReturnCode::R69),
    (ReturnCode::R77, ReturnCode::R62),
];

fn answered_by(contest: ReturnCode) -> Option<ReturnCode> {
    let found = ANSWERS.iter().find(|(code, _)| *code == contest);
    found.map(|(_, dishonor)| *dishonor)
}

/// The transfer is left as the return left it; only its amount and kind matter.
fn act(
    effect: Effect,
    transfer: &Transfer,
    of: &PriorDecision,
    prior: &PriorDecision,
) -> Result<Act, Hold> {
    match transfer.kind {
        TransferType::Debit | TransferType::Credit => {}
        // A refund that came back is a debt to the customer, which a person settles.
        TransferType::Refund => return Err(Hold::stage_of_refund(transfer)),
        TransferType::Other => return Err(Hold::unsupported_type(transfer)),
    }
    let state = match of.effect {
        Effect::Fail => TransferState::Failed,
        Effect::Return => TransferState::Returned,
        Effect::Reverse
        | Effect::Correct
        | Effect::Restore
        | Effect::Reapply
        | Effect::ReleaseToSettlement => TransferState::Succeeded,
    };
    Ok(Act {
        effect,
        expected: Expected {
            state,
            in_deposit: None,
        },
        flags: Vec::new(),
        undone: Some(Undone {
            return_id: of.return_id.clone(),
            prior_id: prior.return_id.clone(),
            prior_effect: prior.effect,
        }),
    })
}

/// Why an entry is about another return than the one that stands.
fn another_return(
    trace: Option<&str>,
    code: Option<&Coded<ReturnCode>>,
    of: &PriorDecision,
) -> Option<String> {
    if !agree(trace, of.return_trace.as_deref()) {
        return Some(format!(
            "it is about the return with trace {}; {} with trace {} stands",
            trace.unwrap_or_default(),
            of.return_id,
            of.return_trace.as_deref().unwrap_or_default()
        ));
    }
    match (code.and_then(Coded::known), prior_code(of)) {
        (Some(said), Some(was)) if said != was => Some(format!(
            "it is about a return with {said}; {} with {was} stands",
            of.return_id
        )),
        _ => None,
    }
}

fn prior_code(prior: &PriorDecision) -> Option<ReturnCode> {
    match &prior.kind {
        EntryKind::Return { code, .. }
        | EntryKind::Dishonored { code, .. }
        | EntryKind::Contested { code, .. } => code.known(),
        EntryKind::Correction { .. }
        | EntryKind::RefusedCorrection { .. }
        | EntryKind::ValidationFailure { .. } => None,
    }
}

fn is_international(entry: &Entry) -> bool {
    entry.sec.as_deref() == Some("IAT")
}
