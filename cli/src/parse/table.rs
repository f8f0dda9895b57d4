//! The same for people. The widths are fixed, because the file is read only once.

use std::fmt::Write as _;

use ach::entry::Entry;
use ach::format::{Item, Rejected};

use super::{FileOutcome, json};
use crate::output::{Screen, StreamColumn, StreamTable, Tone, counted};
use crate::words::{money, plain, sum};

/// The rows of the table.
pub(super) struct EntryTable(StreamTable<7>);

impl EntryTable {
    pub(super) fn new(screen: Screen) -> Self {
        let columns = [
            StreamColumn::new("LINE", 6).right(),
            StreamColumn::new("KIND", 18).extra(2),
            StreamColumn::new("CODE", 5),
            StreamColumn::new("AMOUNT", 14).right(),
            StreamColumn::new("DIRECTION", 9).extra(3),
            StreamColumn::new("TRACE OR REFERENCE", 20),
            StreamColumn::new("REASON", 18).extra(1),
        ];
        Self(StreamTable::new(columns, screen))
    }

    pub(super) fn header(&self) -> String {
        self.0.header()
    }

    pub(super) fn item(&self, item: &Item) -> String {
        match item {
            Item::Entry(one) => self.entry(one),
            Item::Rejected(rejected) => unreadable(rejected),
        }
    }

    fn entry(&self, entry: &Entry) -> String {
        let code = entry
            .kind
            .code()
            .map(|(code, known)| if known { code } else { format!("{code}?") });
        let trace = json::reference(entry).or(entry.keys.original_trace.as_deref());
        let amount = entry
            .amount
            .map(|amount| money(amount.minor(), &amount.currency().to_string()));
        let cells = [
            entry.at.line.to_string(),
            plain(entry.kind.as_str()),
            code.unwrap_or_else(|| "-".to_owned()),
            amount.unwrap_or_default(),
            entry.direction.as_str().to_owned(),
            trace.unwrap_or("-").to_owned(),
            entry.description.clone().unwrap_or_default(),
        ];
        self.0.line(cells.map(|text| (text, Tone::Plain)))
    }
}

/// A line that could not be read. Why is what counts, so it is never cut.
fn unreadable(rejected: &Rejected) -> String {
    let field = rejected.field.as_deref().map(|field| format!("{field}: "));
    let (line, field) = (rejected.at.line, field.unwrap_or_default());
    format!("{line:>6}  unreadable: {field}{}", rejected.why)
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
        plain(&summary.format.to_string()),
        counted(summary.entries, "entry", "entries"),
        summary.rejected,
        summary.left_out,
        sum(summary.debit_minor, &summary.currencies),
        sum(summary.credit_minor, &summary.currencies)
    );
    if summary.unknown_minor != 0 {
        let amount = sum(summary.unknown_minor, &summary.currencies);
        let _ = write!(text, ", of unknown direction {amount}");
    }
    for finding in &summary.findings {
        let _ = write!(
            text,
            "\ntolerated: {}: {} ({})",
            plain(&finding.field),
            finding.what,
            counted(finding.count, "time", "times")
        );
    }
    let verdict = match accepted {
        true => Tone::Good.paint("accepted", Screen::of_stdout()),
        false => Tone::Bad.paint("REJECTED", Screen::of_stdout()),
    };
    let _ = write!(text, "\n{verdict}");
    if let Some(reason) = reason {
        let _ = write!(text, ": {reason}");
    }
    text
}
