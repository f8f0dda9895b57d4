//! Whether the journal knows an entry already, and whether its transfer has a return already.

use super::contradiction::is_same_id;
use super::{Effect, EntryKey, Hold, PriorDecision};
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

/// Whether `entry` reports the very event that `prior` recorded. Codes must agree; a trace, an id of the
/// return or an amount that both carry must agree too. Two returns with different ids are two returns.
pub(super) fn is_same(entry: &Entry, prior: &PriorDecision) -> bool {
    let (keys, known) = (&entry.keys, &prior.keys);
    Reason::of(&entry.kind).is_some_and(|reason| Reason::of(&prior.kind) == Some(reason))
        && agree(&keys.return_trace, &known.return_trace)
        && agree(&keys.case_id, &known.case_id)
        && is_one(
            EntryKey::OriginalTrace,
            &keys.original_trace,
            &known.original_trace,
        )
        && agree(&entry.amount_to_match(), &prior.amount)
}

/// Whether each id of `entry` by which a payment is found is one that `prior` had.
pub(super) fn has_its_ids(entry: &Entry, prior: &PriorDecision) -> bool {
    EntryKey::ALL.iter().all(|key| {
        let (given, known) = (key.of(&entry.keys), key.of(&prior.keys));
        given.is_none() || given == known
    })
}

/// Whether two ids are one, or one of them is missing.
fn is_one(key: EntryKey, a: &Option<String>, b: &Option<String>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => is_same_id(key, a, b),
        (None, _) | (_, None) => true,
    }
}

/// Whether two values are equal, or one of them is missing.
pub(super) fn agree<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
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
