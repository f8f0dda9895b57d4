//! What an entry means that decides nothing: its report says only that money moved, and ties out
//! against what other files said of the payment.

use super::{Decision, Effect, Hold, PriorDecision, Resolution};
use crate::entry::Entry;

/// Compares `entry` with `known`, which is what the journal says about the transfer that `found`
/// names. A return that is known, over the same amount, is counted as such; any other entry is held
/// until a file that decides has said the same.
pub fn tie_out<'t>(entry: &Entry, found: &'t Resolution, known: &[PriorDecision]) -> Decision<'t> {
    if entry.is_prenote() {
        return Decision::Prenote;
    }
    let transfer = match found {
        Resolution::One(transfer) => transfer,
        Resolution::Unknown => return Decision::Hold(Hold::unknown_transfer(entry)),
        Resolution::Ambiguous(ids) => return Decision::Hold(Hold::ambiguous_transfer(ids)),
        Resolution::Unreadable { why, .. } => {
            return Decision::Hold(Hold::unreadable_transfer(why));
        }
        Resolution::Contradicted { why, .. } => return Decision::Hold(Hold::ids_contradict(why)),
    };
    if let Err(hold) = super::check_fit(entry, transfer) {
        return Decision::Hold(hold);
    }
    let first = known.iter().find(|prior| match prior.effect {
        Effect::Fail | Effect::Return | Effect::Reverse => true,
        Effect::Correct | Effect::Restore | Effect::Reapply => false,
    });
    match first {
        Some(prior) => Decision::Duplicate {
            transfer,
            of: prior.return_id.clone(),
        },
        None => Decision::Hold(Hold::not_confirmed(transfer)),
    }
}
