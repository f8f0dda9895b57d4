//! The later stages of a return: the originating bank dishonors it (R61, R62, R67 to R70), and
//! the customer's bank contests that (R71 to R77). Source: Nacha Operating Rules, Appendix
//! Four, Parts 4.5 and 4.6, and Article Two, §2.12.5.
//!
//! A later stage rests on what the journal says, not on the transfer's state now: the stage
//! before may still be on its way to the system of record, and the update's WHERE clause names
//! the state in which that stage leaves the transfer.

use super::duplicate::agree;
use super::{
    Act, Action, Effect, Expected, Hold, PriorDecision, Transfer, TransferState, TransferType,
};
use crate::code::ReturnCode;
use crate::entry::Entry;

/// A dishonor, with the code of the return that it names.
pub(super) struct Dishonor {
    pub(super) code: ReturnCode,
    pub(super) return_code: Option<ReturnCode>,
}

/// A contest, with the codes of the return and of the dishonor that it names.
pub(super) struct Contest {
    pub(super) code: ReturnCode,
    pub(super) return_code: Option<ReturnCode>,
    pub(super) dishonor_code: Option<ReturnCode>,
}

/// A return that stands, and the state in which it left its transfer.
#[derive(Clone, Copy)]
struct StandingReturn<'a> {
    returned: &'a PriorDecision,
    left_in: TransferState,
}

/// How far a return has come.
enum ReturnProgress<'a> {
    /// There is none.
    NoReturn,
    /// It stands.
    Returned(StandingReturn<'a>),
    /// It was dishonored.
    Dishonored {
        standing: StandingReturn<'a>,
        dishonor: &'a PriorDecision,
    },
    /// The dishonor was contested, which the originating bank must accept: the end.
    Contested,
}

impl<'a> ReturnProgress<'a> {
    fn of(known: &'a [PriorDecision]) -> Self {
        known.iter().fold(Self::NoReturn, Self::after)
    }

    /// How far it has come with one more decision.
    fn after(self, next: &'a PriorDecision) -> Self {
        let returned = |left_in| {
            Self::Returned(StandingReturn {
                returned: next,
                left_in,
            })
        };
        let is_return = next.kind.is_return();
        match (next.effect, self) {
            (Effect::Fail, Self::NoReturn) if is_return => returned(TransferState::Failed),
            (Effect::Return, Self::NoReturn) if is_return => returned(TransferState::Returned),
            (Effect::Reverse, Self::NoReturn) if is_return => returned(TransferState::Succeeded),
            (Effect::Restore, Self::Returned(standing)) => Self::Dishonored {
                standing,
                dishonor: next,
            },
            (Effect::Reapply, Self::Dishonored { .. }) => Self::Contested,
            (
                Effect::Fail
                | Effect::Return
                | Effect::Reverse
                | Effect::Correct
                | Effect::Restore
                | Effect::Reapply,
                unchanged,
            ) => unchanged,
        }
    }
}

/// A dishonor gives back what the return took.
pub(super) fn dishonored<'t>(
    dishonor: &Dishonor,
    entry: &Entry,
    transfer: &'t Transfer,
    known: &[PriorDecision],
) -> Result<Act<'t>, Hold> {
    let standing = dishonored_return(dishonor, entry, transfer, known)
        .map_err(|why| Hold::dishonored(dishonor.code, &why))?;
    let action = Action::Restore {
        return_id: standing.returned.return_id.clone(),
        was_reversed: standing.returned.effect == Effect::Reverse,
    };
    act(action, transfer, standing)
}

/// The return that the dishonor undoes, or why it may not.
fn dishonored_return<'a>(
    dishonor: &Dishonor,
    entry: &Entry,
    transfer: &Transfer,
    known: &'a [PriorDecision],
) -> Result<StandingReturn<'a>, String> {
    if entry.is_international() {
        return Err("a return of an international entry (IAT) cannot be dishonored".to_owned());
    }
    let standing = match ReturnProgress::of(known) {
        ReturnProgress::Returned(standing) => standing,
        ReturnProgress::NoReturn => {
            let id = &transfer.id;
            return Err(format!(
                "no return of transfer {id} is known yet; the lookup is repeated"
            ));
        }
        ReturnProgress::Dishonored { dishonor, .. } => {
            return Err(format!("dishonor {} already stands", dishonor.return_id));
        }
        ReturnProgress::Contested => {
            return Err(
                "the dishonor was already contested, which ends the exchange; the banks \
                        settle the rest outside the network"
                    .to_owned(),
            );
        }
    };
    let returned = standing.returned;
    check_same_return(entry, dishonor.return_code, returned)?;
    let (code, id) = (dishonor.code, &returned.return_id);
    // Of two returns, the one that did nothing here may be the one that is dishonored.
    let lacks_trace = entry.keys.return_trace.is_none() || returned.keys.return_trace.is_none();
    if code == ReturnCode::R67 && lacks_trace {
        return Err(format!(
            "a trace number is missing that says which of two returns is the duplicate; {id} stands"
        ));
    }
    let by_agreement = [ReturnCode::R06, ReturnCode::R31];
    let original = returned.kind.return_code();
    if code == ReturnCode::R70 && original.is_some_and(|code| !by_agreement.contains(&code)) {
        return Err("only a return with R06 or R31 can be dishonored with R70".to_owned());
    }
    Ok(standing)
}

/// A contest takes again what the return took.
pub(super) fn contested<'t>(
    contest: &Contest,
    entry: &Entry,
    transfer: &'t Transfer,
    known: &[PriorDecision],
) -> Result<Act<'t>, Hold> {
    let hold = |why: String| Hold::contested(contest.code, &why);
    let (standing, dishonor) = match ReturnProgress::of(known) {
        ReturnProgress::Dishonored { standing, dishonor } => (standing, dishonor),
        ReturnProgress::NoReturn | ReturnProgress::Returned(_) => {
            let id = &transfer.id;
            return Err(hold(format!(
                "no dishonor of a return of transfer {id} is known yet; the lookup is repeated"
            )));
        }
        ReturnProgress::Contested => {
            return Err(hold("the dishonor was already contested".to_owned()));
        }
    };
    check_same_return(entry, contest.return_code, standing.returned).map_err(hold)?;
    check_same_dishonor(contest, dishonor).map_err(hold)?;
    let action = Action::Reapply {
        return_id: standing.returned.return_id.clone(),
        dishonor_id: dishonor.return_id.clone(),
    };
    act(action, transfer, standing)
}

/// Whether the contest answers the dishonor that stands.
fn check_same_dishonor(contest: &Contest, dishonor: &PriorDecision) -> Result<(), String> {
    let Some(stands) = dishonor.kind.return_code() else {
        return Ok(());
    };
    if let Some(named) = contest.dishonor_code.filter(|named| *named != stands) {
        return Err(format!(
            "it answers a dishonor with {named}, but {stands} stands"
        ));
    }
    if let Some(answers) = answered_by(contest.code).filter(|answers| *answers != stands) {
        let code = contest.code;
        return Err(format!(
            "{code} answers only {answers}, but {stands} stands"
        ));
    }
    Ok(())
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
fn act<'t>(
    action: Action,
    transfer: &'t Transfer,
    standing: StandingReturn<'_>,
) -> Result<Act<'t>, Hold> {
    match transfer.kind {
        TransferType::Debit | TransferType::Credit => {}
        // A refund that came back is a debt to the customer, which a person settles.
        TransferType::Refund => return Err(Hold::stage_of_refund(transfer)),
        TransferType::Other => return Err(Hold::unsupported_type(transfer)),
    }
    let expected = Expected {
        state: standing.left_in,
        in_deposit: None,
    };
    Ok(Act::on(transfer, action, expected))
}

/// Whether an entry with this return code is about the return that stands.
fn check_same_return(
    entry: &Entry,
    named: Option<ReturnCode>,
    returned: &PriorDecision,
) -> Result<(), String> {
    let (id, trace) = (&returned.return_id, &entry.keys.return_trace);
    if !agree(trace, &returned.keys.return_trace) {
        return Err(format!(
            "it is about the return with trace {}, but {id} with trace {} stands",
            trace.as_deref().unwrap_or_default(),
            returned.keys.return_trace.as_deref().unwrap_or_default()
        ));
    }
    match (named, returned.kind.return_code()) {
        (Some(named), Some(stands)) if named != stands => Err(format!(
            "it is about a return with {named}, but {id} with {stands} stands"
        )),
        (Some(_), Some(_)) | (None, _) | (_, None) => Ok(()),
    }
}
