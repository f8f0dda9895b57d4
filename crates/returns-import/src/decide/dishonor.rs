//! Which of the entries that are being decided our bank may dishonor. The rules are
//! [`ach::dishonor`]'s; here they are given what was looked up and what was decided.

use ach::decision::{HoldReason, PriorDecision, Resolution};
use ach::dishonor::dishonorable;
use ach::entry::EntryKind;
use returns_model::dishonor::DishonorMark;

use super::{EntryOutcome, EntryToDecide};
use crate::source::Role;

/// The mark of a case, if it has a ground. `priors` gives what the journal says of a transfer;
/// it is asked only about a second return.
///
/// A return that is known already has none: the entry that came first has its mark.
pub(crate) fn mark(
    one: &EntryToDecide<'_>,
    resolution: &Resolution,
    outcome: &EntryOutcome,
    priors: impl FnOnce(&str) -> Vec<PriorDecision>,
) -> Option<DishonorMark> {
    let transfer = match resolution {
        Resolution::One(transfer) => Some(transfer),
        // It may be another payment than the one that came back.
        Resolution::Contradicted { .. }
        | Resolution::Unknown
        | Resolution::Ambiguous(_)
        | Resolution::Unreadable { .. } => None,
    };
    if one.source.role == Role::TieOut {
        return None;
    }
    let (return_id, prior) = match outcome {
        EntryOutcome::Duplicate { .. } | EntryOutcome::Prenote => return None,
        EntryOutcome::Act { row, .. } => (Some(row.return_id.clone()), None),
        EntryOutcome::Hold { hold, .. } if hold.reason == HoldReason::SecondReturn => {
            let known = transfer.map(|transfer| priors(&transfer.id));
            (None, known.and_then(first_return))
        }
        EntryOutcome::Hold { .. } => (None, None),
    };
    let entry = one.entry;
    let mut grounds = dishonorable(entry, transfer, one.source.originator(), prior.as_ref());
    if grounds.is_empty() {
        return None;
    }
    let ground = grounds.remove(0);
    Some(DishonorMark {
        import_id: one.import_id.to_owned(),
        ordinal: one.ordinal,
        line: entry.at.line,
        transfer_id: transfer.map(|transfer| transfer.id.clone()),
        return_id,
        hold_id: None,
        ground,
        others: grounds,
        amount: entry.amount.or(transfer.map(|transfer| transfer.amount)),
        return_code: entry.kind.code().map(|(code, _)| code).unwrap_or_default(),
        settled_on: entry.settlement_date,
    })
}

/// A payment that failed before it was sent has no return which a second one could repeat.
fn first_return(priors: Vec<PriorDecision>) -> Option<PriorDecision> {
    priors
        .into_iter()
        .find(|prior| matches!(prior.kind, EntryKind::Return { .. }))
}
