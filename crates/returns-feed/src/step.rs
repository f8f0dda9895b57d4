//! From a journal row to the step that a database needs.

use ach::decision::Expected;
use ach::entry::EntryKind;
use echeck_proto::adapter::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use proto::step::Change;
use returns_import::adapter::state_to_proto;
use returns_model::journal::{JournalRow, NewTransfer, Relation, Row, RowEffect};

/// The step for `database`. It is empty, so that only the cursor moves, when the row was
/// superseded, did not take effect in the system of record, is meant for another database, or
/// changes nothing by its nature. `blocked` says why its change must not be made.
pub(super) fn step(
    row: &JournalRow,
    database: &str,
    without_effect: &[u64],
    blocked: Option<&String>,
) -> proto::Step {
    let is_empty = row.superseded_by.is_some()
        || without_effect.contains(&row.position)
        || !meant_for(&row.row, database);
    proto::Step {
        position: row.position,
        row_hash: row.hash.as_bytes().to_vec(),
        change: if is_empty { None } else { change(&row.row) },
        blocked_reason: blocked.cloned().unwrap_or_default(),
    }
}

fn meant_for(row: &Row, database: &str) -> bool {
    match &row.relation {
        Some(Relation::Repeats { database: only, .. }) => only == database,
        Some(Relation::Supersedes { .. } | Relation::Follows { .. }) | None => true,
    }
}

fn change(row: &Row) -> Option<Change> {
    let transfer_id = row.transfer.id.clone();
    let expected = Some(expected(row.expected));
    let reason = Some(reason(row));
    let return_id = row.return_id.clone();
    match &row.effect {
        RowEffect::Fail { messages } => Some(Change::FailTransfer(proto::FailTransfer {
            transfer_id,
            expected,
            reason,
            messages: messages.clone(),
            raw_json: raw_json(row),
        })),
        RowEffect::Return { messages } => Some(Change::ReturnTransfer(proto::ReturnTransfer {
            transfer_id,
            expected,
            reason,
            messages: messages.clone(),
            return_id,
        })),
        RowEffect::Reverse { reversal } => Some(Change::ReverseTransfer(proto::ReverseTransfer {
            transfer_id,
            expected,
            reason,
            reversal: Some(linked(row, reversal)),
            return_id,
        })),
        RowEffect::Restore { restoration, .. } => {
            Some(Change::RestoreTransfer(proto::RestoreTransfer {
                transfer_id,
                expected,
                reason,
                restoration: Some(linked(row, restoration)),
                return_id,
            }))
        }
        RowEffect::Reapply { reversal, .. } => Some(Change::ReapplyReturn(proto::ReapplyReturn {
            transfer_id,
            expected,
            reason,
            reversal: Some(linked(row, reversal)),
            return_id,
        })),
        RowEffect::ReleaseToSettlement {
            made,
            ready_to_settle_at,
            ..
        } => Some(Change::ReleaseToSettlement(proto::ReleaseToSettlement {
            transfer_id: made.id.clone(),
            returned_transfer_id: transfer_id,
            ready_to_settle_at: Some(timestamp(*ready_to_settle_at)),
            decided_at: Some(timestamp(row.decided_at)),
        })),
        // A correction leaves money and state as they are.
        RowEffect::Correct {} => None,
    }
}

/// The transfer that a row makes, over the same amount as the one that was returned.
fn linked(row: &Row, made: &NewTransfer) -> proto::Reversal {
    proto::Reversal {
        id: made.id.clone(),
        trace_id: made.trace_id.clone(),
        amount_minor: row.transfer.amount.minor(),
        currency: row.transfer.amount.currency().to_string(),
        tags: made.tags.iter().cloned().collect(),
        parent_id: made.parent_id.clone().unwrap_or_default(),
    }
}

fn expected(expected: Expected) -> proto::Expected {
    proto::Expected {
        state: state_to_proto(expected.state).into(),
        in_deposit: expected.in_deposit,
    }
}

fn reason(row: &Row) -> proto::Reason {
    let entry = &row.entry;
    // A validation failure never has a return code; its gateway code is not one.
    let never_entered = matches!(entry.kind, EntryKind::ValidationFailure { .. });
    let code = if never_entered { None } else { row.code() };
    let returned_on = entry
        .issued_on
        .or(entry.settlement_date)
        .or(entry.received_on);
    proto::Reason {
        code: code.unwrap_or_default(),
        description: row.description.clone(),
        returned_on: returned_on.map(|date| date.to_string()).unwrap_or_default(),
        decided_at: Some(timestamp(row.decided_at)),
    }
}

/// The acquirer's row as one JSON object, in the order of its columns.
fn raw_json(row: &Row) -> String {
    if row.entry.raw.is_empty() {
        return String::new();
    }
    let cells = row.entry.raw.iter().cloned();
    cells.collect::<serde_json::Value>().to_string()
}
