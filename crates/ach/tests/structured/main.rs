//! Files with a structure of their own: X12, BAI2, ISO 20022.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, its own functions too"
)]

mod bai2;
mod iso20022;
mod x12;

use ach::entry::Entry;
use ach::format::{FileRejected, Format, Item, ReadError, Rejected, Summary};
use chrono::NaiveDate;

/// Everything that reading a file gave.
#[derive(Debug)]
struct ParsedFile {
    entries: Vec<Entry>,
    rejected: Vec<Rejected>,
    refusal: Option<FileRejected>,
    summary: Summary,
}

impl ParsedFile {
    /// Code, amount in cents, direction, and the id that it is matched by.
    fn rows(&self) -> Vec<(String, i64, &'static str)> {
        assert_eq!(self.refusal, None);
        let row = |entry: &Entry| {
            let code = entry.kind.code().map_or_else(String::new, |(code, _)| code);
            let minor = entry.amount.map_or(0, |amount| amount.minor());
            (code, minor, entry.direction.as_str())
        };
        self.entries.iter().map(row).collect()
    }

    fn why(&self) -> &str {
        match &self.refusal {
            Some(refusal) => &refusal.why,
            None => panic!("not refused: {self:?}"),
        }
    }
}

fn read(format: &Format, file: &str) -> ParsedFile {
    read_bytes(format, file.as_bytes())
}

fn read_bytes(format: &Format, file: &[u8]) -> ParsedFile {
    let received_on = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let mut reader = format.open(file, received_on);
    let (mut entries, mut rejected, mut refusal) = (Vec::new(), Vec::new(), None);
    for item in reader.by_ref() {
        match item {
            Ok(Item::Entry(entry)) => entries.push(*entry),
            Ok(Item::Rejected(line)) => rejected.push(line),
            Err(ReadError::Rejected(file)) => refusal = Some(file),
            Err(ReadError::Io(error)) => panic!("{error}"),
        }
    }
    assert!(
        reader.next().is_none(),
        "the reader continues after its end"
    );
    let summary = reader.summary();
    assert_eq!(summary.entries, entries.len() as u64);
    assert_eq!(summary.rejected, rejected.len() as u64);
    ParsedFile {
        entries,
        rejected,
        refusal,
        summary,
    }
}

/// A file that is cut off anywhere is never taken for a whole one.
fn check_cuts(format: &Format, file: &str) {
    for end in 1..file.trim_end().len() {
        let parsed = read_bytes(format, &file.as_bytes()[..end]);
        assert!(parsed.refusal.is_some(), "cut at {end}: {parsed:?}");
    }
}

/// A file in which one byte is another never panics, and keeps only a small multiple of it.
fn check_damage(format: &Format, file: &str) {
    for at in 0..file.len() {
        for byte in [b'0', b'*', b'<', b',', b'\n', 0xFF] {
            let mut bytes = file.as_bytes().to_vec();
            bytes[at] = byte;
            let parsed = read_bytes(format, &bytes);
            let kept = format!("{parsed:?}").len();
            assert!(kept < 200 * file.len() + 20_000, "{kept} bytes are kept");
        }
    }
}
