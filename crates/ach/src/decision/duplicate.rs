//! Whether the journal knows an entry already, and whether its transfer has a return already.

use super::{Effect, Hold, PriorDecision};
use crate::code::{CorrectionCode, ReturnCode};
use crate::entry::{Coded, Corrected, Entry, EntryKind};

/// What must be equal for two entries to report the same event.
#[derive(PartialEq, Eq)]
enum Reason<'a> {
    Return(&'a Coded<ReturnCode>),
    Dishonor(&'a Coded<ReturnCode>),
    Contest(&'a Coded<ReturnCode>),
    Correction(&'a Coded<CorrectionCode>, &'a [Corrected]),
    ValidationFailure,
}

impl<'a> Reason<'a> {
    /// Every field is named, so that a new one is compared or left out on purpose. A refused
    /// correction is never in the journal, so it is never the same.
    fn of(kind: &'a EntryKind) -> Option<Self> {
        match kind {
            EntryKind::Return {
                code,
                date_of_death: _,
            } => Some(Self::Return(code)),
            EntryKind::Dishonored {
                code,
                return_code: _,
                return_settled_on: _,
            } => Some(Self::Dishonor(code)),
            EntryKind::Contested {
                code,
                return_code: _,
                dishonor_code: _,
                dishonor_trace: _,
                return_settled_on: _,
            } => Some(Self::Contest(code)),
            EntryKind::Correction { code, corrected } => Some(Self::Correction(code, corrected)),
            EntryKind::RefusedCorrection {
                code: _,
                refused: _,
                corrected: _,
            } => None,
            EntryKind::ValidationFailure { code: _ } => Some(Self::ValidationFailure),
        }
    }
}

/// Whether `entry` reports the very event that `prior` recorded. Codes must agree; an id that
/// both carry must agree too. Two returns with different ids are two returns.
pub(super) fn is_same(entry: &Entry, prior: &PriorDecision) -> bool {
    Reason::of(&entry.kind).is_some_and(|reason| Reason::of(&prior.kind) == Some(reason))
        && agree(&entry.keys.return_trace, &prior.return_trace)
        && agree(&entry.keys.case_id, &prior.case_id)
}

/// Whether two ids are equal, or one of them is missing.
pub(super) fn agree(a: &Option<String>, b: &Option<String>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        (None, _) | (_, None) => true,
    }
}

/// Holds a second, different return: the bank took the money twice, or somebody made a mistake.
/// A later stage does not count: it may still stand when its return turned out to have had no
/// effect and is decided again.
pub(super) fn check_no_return(known: &[PriorDecision]) -> Result<(), Hold> {
    let first = known.iter().find(|prior| match prior.effect {
        Effect::Fail | Effect::Return | Effect::Reverse => true,
        Effect::Correct | Effect::Restore | Effect::Reapply => false,
    });
    first.map_or(Ok(()), |prior| Err(Hold::second_return(prior)))
}
