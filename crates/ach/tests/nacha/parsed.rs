//! A whole file, read to its end.

use std::io::Read;
use std::path::Path;

use ach::entry::Entry;
use ach::format::nacha::Tolerance;
use ach::format::{FileRejected, Format, Item, ReadError, Rejected, Summary};
use chrono::NaiveDate;

/// Everything that reading a file gave.
pub(crate) struct ParsedFile {
    pub(crate) entries: Vec<Entry>,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) summary: Summary,
    pub(crate) file_rejected: Option<FileRejected>,
}

impl ParsedFile {
    /// Reads to the end.
    pub(crate) fn of(input: impl Read, tolerance: Tolerance) -> Self {
        let received_on = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
        let mut reader = Format::Nacha(tolerance).open(input, received_on);
        let (mut entries, mut rejected, mut file_rejected) = (Vec::new(), Vec::new(), None);
        for item in reader.by_ref() {
            match item {
                Ok(Item::Entry(entry)) => entries.push(*entry),
                Ok(Item::Rejected(line)) => rejected.push(line),
                Err(ReadError::Rejected(why)) => file_rejected = Some(why),
                Err(ReadError::Io(error)) => panic!("{error}"),
            }
        }
        assert!(reader.next().is_none(), "nothing follows the end");
        Self {
            entries,
            rejected,
            summary: reader.summary(),
            file_rejected,
        }
    }

    /// Reads a file of the folder `fixtures`.
    pub(crate) fn of_file(name: &str) -> Self {
        Self::of(
            file(name).as_slice(),
            Tolerance::default().without_controls(),
        )
    }

    /// The entries in short: line, kind, code, direction, cents, original trace.
    pub(crate) fn lines(&self) -> Vec<String> {
        assert_eq!(self.file_rejected, None);
        self.entries.iter().map(in_short).collect()
    }

    /// The kinds of findings, in the order of their names.
    pub(crate) fn findings(&self) -> Vec<&str> {
        let mut fields: Vec<_> = self
            .summary
            .findings
            .iter()
            .map(|finding| finding.field.as_str())
            .collect();
        fields.sort_unstable();
        fields
    }

    /// The line and the field for which the file is rejected.
    pub(crate) fn file_rejection(&self) -> (Option<u64>, &str) {
        let rejected = self.file_rejected.as_ref().expect("the file is rejected");
        (
            rejected.at.map(|at| at.line),
            rejected.field.as_deref().unwrap_or(&rejected.why),
        )
    }
}

/// The bytes of a file of the folder `fixtures`.
pub(crate) fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/nacha/fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn in_short(entry: &Entry) -> String {
    let (code, _) = entry.kind.code().unwrap();
    format!(
        "{} {} {code} {} {} {}",
        entry.at.line,
        entry.kind.as_str(),
        entry.direction.as_str(),
        entry.amount.unwrap().minor(),
        entry.keys.original_trace.as_deref().unwrap_or("-"),
    )
}
