//! From a decision to the row that the journal keeps of it.

use ach::decision::{Act, Action, failure_messages, return_messages, reversal_tags, stage_tags};
use ach::entry::{Entry, EntryKind};
use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::journal::{NewTransfer, Row, RowEffect, TransferFacts};

use super::EntryToDecide;

/// The row of `act` on the entry. Its ids are derived from `return_id`.
pub(super) fn row(
    one: &EntryToDecide<'_>,
    act: Act<'_>,
    return_id: String,
    now: DateTime<Utc>,
) -> Row {
    Row {
        schema: Row::SCHEMA,
        effect: effect(one.entry, &act, &return_id),
        return_id,
        transfer: TransferFacts::from(act.transfer),
        expected: act.expected,
        relation: one.relation.clone(),
        flags: act.flags,
        description: description(one.entry),
        entry: one.entry.clone(),
        source: one.source.name.clone(),
        import_id: one.import_id.to_owned(),
        ordinal: one.ordinal,
        actor: one.actor.map(str::to_owned),
        decided_at: now,
    }
}

fn effect(entry: &Entry, act: &Act<'_>, id: &str) -> RowEffect {
    match &act.action {
        Action::Fail => RowEffect::Fail {
            messages: failure_messages(entry, act.transfer),
        },
        Action::Return => RowEffect::Return {
            messages: return_messages(entry),
        },
        Action::Correct => RowEffect::Correct {},
        Action::Reverse => RowEffect::Reverse {
            reversal: reversal(id, reversal_tags(entry, act.transfer), None),
        },
        Action::Restore {
            return_id,
            was_reversed,
        } => RowEffect::Restore {
            of_return: return_id.clone(),
            restoration: NewTransfer {
                id: ids::restoration_id(id),
                trace_id: ids::restoration_trace_id(id),
                tags: stage_tags(entry, "Dishonor", return_id),
                // Without a reversal it is the returned transfer that is made good.
                parent_id: was_reversed.then(|| ids::reversal_id(return_id)),
            },
        },
        Action::Reapply {
            return_id,
            dishonor_id,
        } => RowEffect::Reapply {
            of_return: return_id.clone(),
            reversal: reversal(
                id,
                stage_tags(entry, "Contested dishonor", return_id),
                Some(ids::restoration_id(dishonor_id)),
            ),
        },
    }
}

fn reversal(id: &str, tags: Vec<(String, String)>, parent_id: Option<String>) -> NewTransfer {
    NewTransfer {
        id: ids::reversal_id(id),
        trace_id: ids::reversal_trace_id(id),
        tags,
        parent_id,
    }
}

/// What the reason means, in words that may be shown to a platform's users: the code's own
/// title where the table has it, since banks write anything into their text.
fn description(entry: &Entry) -> String {
    let title = match &entry.kind {
        EntryKind::Return { code, .. }
        | EntryKind::Dishonored { code, .. }
        | EntryKind::Contested { code, .. } => code.known().map(|code| code.info().title),
        EntryKind::Correction { code, .. } | EntryKind::RefusedCorrection { code, .. } => {
            code.known().map(|code| code.info().title)
        }
        EntryKind::ValidationFailure { .. } => None,
    };
    title
        .map(str::to_owned)
        .or_else(|| entry.description.clone())
        .unwrap_or_else(|| "refused before it entered the network".to_owned())
}
