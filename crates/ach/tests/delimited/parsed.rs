//! A whole file, read to its end.

use std::io::Read;

use ach::entry::Entry;
use ach::format::delimited::Profile;
use ach::format::{FileReader, FileRejected, Format, Item, ReadError, Rejected, Summary};
use chrono::NaiveDate;

/// Everything that reading a file gave.
#[derive(Debug)]
pub(crate) struct ParsedFile {
    pub(crate) entries: Vec<Entry>,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) file_rejected: Option<FileRejected>,
    pub(crate) summary: Summary,
}

impl ParsedFile {
    /// The only entry of a file in which nothing was wrong.
    pub(crate) fn entry(&self) -> &Entry {
        assert_eq!(self.file_rejected, None);
        assert_eq!(self.rejected, []);
        assert_eq!(self.entries.len(), 1, "{:?}", self.entries);
        &self.entries[0]
    }

    /// The only rejected row.
    pub(crate) fn rejection(&self) -> &Rejected {
        assert_eq!(self.file_rejected, None);
        assert_eq!(self.rejected.len(), 1, "{self:?}");
        &self.rejected[0]
    }

    /// Why the file is rejected.
    pub(crate) fn file_rejection(&self) -> &FileRejected {
        self.file_rejected
            .as_ref()
            .unwrap_or_else(|| panic!("not rejected: {self:?}"))
    }

    /// How often a difference of this kind was tolerated.
    pub(crate) fn found(&self, kind: &str) -> u64 {
        let findings = self.summary.findings.iter();
        findings
            .filter(|finding| finding.field == kind)
            .map(|finding| finding.count)
            .sum()
    }
}

/// Opens `input`. The day does not matter: a delimited file has whole dates.
pub(crate) fn open<R: Read>(input: R, profile: &Profile) -> FileReader<R> {
    let received_on = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
    Format::Delimited(Box::new(profile.clone())).open(input, received_on)
}

/// Reads all of `input`.
pub(crate) fn read(input: impl Read, profile: &Profile) -> ParsedFile {
    let mut reader = open(input, profile);
    let (mut entries, mut rejected, mut file_rejected) = (Vec::new(), Vec::new(), None);
    for item in reader.by_ref() {
        match item {
            Ok(Item::Entry(entry)) => entries.push(*entry),
            Ok(Item::Rejected(row)) => rejected.push(row),
            Err(ReadError::Rejected(file)) => file_rejected = Some(file),
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
        file_rejected,
        summary,
    }
}

/// The profile that the TOML text describes, which must have no faults.
pub(crate) fn profile(toml: &str) -> Profile {
    let profile: Profile = toml::from_str(toml).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(profile.validate(), []);
    profile
}

/// A small profile: `id,code,amount,date,text,type` with a header and amounts in dollars.
pub(crate) const SMALL: &str = r#"
    name = "small"
    date_formats = ["%m/%d/%Y"]
    amount_unit = "major"
    direction = "debit"
    required = ["payment_id", "amount"]
    [columns]
    payment_id = "id"
    code = "code"
    amount = "amount"
    issued_on = "date"
    description = "text"
"#;

/// The small profile with more keys, given as TOML, put before its tables.
pub(crate) fn small(more: &str) -> Profile {
    profile(&format!("{more}\n{SMALL}"))
}

/// The header of the small profile.
pub(crate) const HEADER: &str = "id,code,amount,date,text\n";

/// Reads rows after the small profile's header.
pub(crate) fn read_rows(rows: &str, profile: &Profile) -> ParsedFile {
    read(format!("{HEADER}{rows}").as_bytes(), profile)
}
