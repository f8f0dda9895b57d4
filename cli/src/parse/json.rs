//! One JSON object per line: an entry, a line that could not be read, the summary.

use ach::entry::{Corrected, Entry, EntryKind};
use ach::format::{Item, Rejected};
use ach::money::Money;
use serde_json::{Value, json};

use super::FileOutcome;

pub(super) fn item(item: &Item) -> Value {
    match item {
        Item::Entry(one) => entry(one),
        Item::Rejected(Rejected { at, field, why, .. }) => json!({
            "line": at.line,
            "rejected": why,
            "field": field,
        }),
    }
}

/// The fields of an entry, always in this order; null where the format has none.
fn entry(entry: &Entry) -> Value {
    let keys = &entry.keys;
    let (code, known_code) = entry.kind.code().unzip();
    json!({
        "line": entry.at.line,
        "kind": entry.kind.as_str(),
        "code": code,
        "known_code": known_code.unwrap_or(false),
        "amount_minor": entry.amount.map(Money::minor),
        "currency": entry.amount.map(|amount| amount.currency().to_string()),
        "direction": entry.direction.as_str(),
        "original_trace": keys.original_trace,
        "return_trace": keys.return_trace,
        "reference": reference(entry),
        "individual_id": keys.individual_id,
        "company_id": keys.company_id,
        "sec": entry.sec,
        "settlement_date": entry.settlement_date,
        "description": entry.description,
        "corrected_data": corrected(&entry.kind),
    })
}

/// The acquirer's id of the payment, or else ours, or else the id of the case.
pub(super) fn reference(entry: &Entry) -> Option<&str> {
    let keys = &entry.keys;
    [
        &keys.payment_id,
        &keys.order_id,
        &keys.transfer_request_id,
        &keys.case_id,
    ]
    .into_iter()
    .find_map(|id| id.as_deref())
}

/// The pieces in the order of the file. Accounts were masked when they were read.
fn corrected(kind: &EntryKind) -> Option<String> {
    match kind {
        EntryKind::Correction { corrected, .. }
        | EntryKind::RefusedCorrection { corrected, .. } => {
            let pieces: Vec<String> = corrected.iter().map(Corrected::to_string).collect();
            (!pieces.is_empty()).then(|| pieces.join(" "))
        }
        EntryKind::Return { .. }
        | EntryKind::Dishonored { .. }
        | EntryKind::Contested { .. }
        | EntryKind::ValidationFailure { .. } => None,
    }
}

pub(super) fn summary(outcome: &FileOutcome) -> Value {
    let (accepted, reason) = outcome.verdict();
    let summary = &outcome.summary;
    json!({
        "summary": {
            "format": summary.format,
            "entries": summary.entries,
            "rejected": summary.rejected,
            "debit_minor": summary.debit_minor,
            "credit_minor": summary.credit_minor,
            "accepted": accepted,
            "reason": reason,
        },
    })
}
