//! The same for people. The widths are fixed, because the file is read only once.

use std::fmt::Write as _;

use ach::entry::Entry;
use ach::format::Item;
use ach::money::Money;

use super::{FileOutcome, json};
use crate::output::counted;

fn row(cells: [&str; 7]) -> String {
    let [line, kind, code, amount, direction, trace, rest] = cells;
    format!("{line:>8}  {kind:<18}  {code:<5}  {amount:>16}  {direction:<9}  {trace:<20}  {rest}")
        .trim_end()
        .to_owned()
}

pub(super) fn header() -> String {
    let (direction, trace) = ("DIRECTION", "TRACE OR REFERENCE");
    row(["LINE", "KIND", "CODE", "AMOUNT", direction, trace, "REASON"])
}

pub(super) fn item(item: &Item) -> String {
    match item {
        Item::Entry(one) => entry(one),
        Item::Rejected(rejected) => {
            let field = rejected.field.as_deref().map(|field| format!("{field}: "));
            let why = format!("{}{}", field.unwrap_or_default(), rejected.why);
            let line = rejected.at.line.to_string();
            row([&line, "UNREADABLE", "", "", "", "", &why])
        }
    }
}

fn entry(entry: &Entry) -> String {
    let code = entry
        .kind
        .code()
        .map(|(code, known)| if known { code } else { format!("{code}?") });
    let trace = json::reference(entry).or(entry.keys.original_trace.as_deref());
    row([
        &entry.at.line.to_string(),
        entry.kind.as_str(),
        code.as_deref().unwrap_or("-"),
        &entry
            .amount
            .map(|amount| amount.to_string())
            .unwrap_or_default(),
        entry.direction.as_str(),
        trace.unwrap_or("-"),
        entry.description.as_deref().unwrap_or_default(),
    ])
}

pub(super) fn summary(outcome: &FileOutcome, after_rows: bool) -> String {
    let summary = &outcome.summary;
    let (accepted, reason) = outcome.verdict();
    let mut text = if after_rows {
        "\n".to_owned()
    } else {
        String::new()
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "{}: {}, {} unreadable, {} left out, debits {}, credits {}",
        summary.format,
        counted(summary.entries, "entry", "entries"),
        summary.rejected,
        summary.left_out,
        Money::cents(summary.debit_minor),
        Money::cents(summary.credit_minor)
    );
    for finding in &summary.findings {
        let _ = write!(
            text,
            "\ntolerated: {}: {} ({})",
            finding.field,
            finding.what,
            counted(finding.count, "time", "times")
        );
    }
    let verdict = if accepted { "accepted" } else { "REJECTED" };
    let _ = write!(text, "\n{verdict}");
    if let Some(reason) = reason {
        let _ = write!(text, ": {reason}");
    }
    text
}
