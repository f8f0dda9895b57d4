//! One JSON object per line: an entry, a line that could not be read, the summary.

use ach::entry::{Corrected, Entry, EntryKind};
use ach::format::{Finding, Item, Rejected};
use ach::money::Money;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};

use super::FileOutcome;

/// The fields of an entry, in this order; null where the format has none.
#[derive(Serialize)]
struct EntryLine<'a> {
    line: u64,
    kind: &'static str,
    code: Option<&'a str>,
    known_code: bool,
    amount_minor: Option<i64>,
    currency: Option<String>,
    direction: &'static str,
    original_trace: Option<&'a str>,
    return_trace: Option<&'a str>,
    reference: Option<&'a str>,
    individual_id: Option<&'a str>,
    check_serial_number: Option<&'a str>,
    company_id: Option<&'a str>,
    sec: Option<&'a str>,
    settlement_date: Option<NaiveDate>,
    description: Option<&'a str>,
    corrected_data: Option<String>,
}

pub(super) fn item(item: &Item) -> String {
    match item {
        Item::Entry(one) => entry(one),
        Item::Rejected(Rejected { at, field, why, .. }) => {
            json!({"line": at.line, "rejected": why, "field": field}).to_string()
        }
    }
}

/// A file has many entries, so none of them becomes a [`Value`] first.
fn entry(entry: &Entry) -> String {
    let keys = &entry.keys;
    let (code, known_code) = entry.kind.code().unzip();
    let line = EntryLine {
        line: entry.at.line,
        kind: entry.kind.as_str(),
        code: code.as_deref(),
        known_code: known_code.unwrap_or(false),
        amount_minor: entry.amount.map(Money::minor),
        currency: entry.amount.map(|amount| amount.currency().to_string()),
        direction: entry.direction.as_str(),
        original_trace: keys.original_trace.as_deref(),
        return_trace: keys.return_trace.as_deref(),
        reference: reference(entry),
        individual_id: keys.individual_id.as_deref(),
        check_serial_number: keys.check_serial_number.as_deref(),
        company_id: keys.company_id.as_deref(),
        sec: entry.sec.as_deref(),
        settlement_date: entry.settlement_date,
        description: entry.description.as_deref(),
        corrected_data: corrected(&entry.kind),
    };
    // Numbers and text always have a JSON form.
    serde_json::to_string(&line).unwrap_or_default()
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

/// A difference that was tolerated, or a kind of entries that were left out.
fn finding(finding: &Finding) -> Value {
    json!({
        "line": finding.at.map(|at| at.line),
        "field": finding.field,
        "what": finding.what,
        "count": finding.count,
    })
}

pub(super) fn summary(outcome: &FileOutcome) -> Value {
    let (accepted, reason) = outcome.verdict();
    let summary = &outcome.summary;
    json!({
        "summary": {
            "format": summary.format,
            "entries": summary.entries,
            "rejected": summary.rejected,
            "left_out": summary.left_out,
            "debit_minor": summary.debit_minor,
            "credit_minor": summary.credit_minor,
            "accepted": accepted,
            "reason": reason,
            "findings": summary.findings.iter().map(finding).collect::<Vec<_>>(),
        },
    })
}
