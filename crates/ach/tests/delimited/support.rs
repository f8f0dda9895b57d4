//! Reading a whole file in a test.

use std::io::Read;

use ach::entry::Entry;
use ach::format::delimited::{Profile, Reader};
use ach::format::{FileRejected, Item, ReadError, Rejected, Summary};

/// All that a reader gave for a file.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) entries: Vec<Entry>,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) refusal: Option<FileRejected>,
    pub(crate) summary: Summary,
}

impl Outcome {
    /// The only entry of a file in which nothing was wrong.
    pub(crate) fn entry(&self) -> &Entry {
        assert_eq!(self.refusal, None);
        assert_eq!(self.rejected, []);
        assert_eq!(self.entries.len(), 1, "{:?}", self.entries);
        &self.entries[0]
    }

    /// The only rejected row.
    pub(crate) fn rejection(&self) -> &Rejected {
        assert_eq!(self.refusal, None);
        assert_eq!(self.rejected.len(), 1, "{self:?}");
        &self.rejected[0]
    }

    /// Why the file is refused.
    pub(crate) fn refused(&self) -> &FileRejected {
        self.refusal
            .as_ref()
            .unwrap_or_else(|| panic!("not refused: {self:?}"))
    }

    /// How often a difference of this kind was let pass.
    pub(crate) fn found(&self, kind: &str) -> u64 {
        let findings = self.summary.findings.iter();
        findings
            .filter(|finding| finding.field == kind)
            .map(|finding| finding.count)
            .sum()
    }
}

/// Reads all of `input`.
pub(crate) fn read(input: impl Read, profile: &Profile) -> Outcome {
    let mut reader = Reader::new(input, profile.clone());
    let (mut entries, mut rejected, mut refusal) = (Vec::new(), Vec::new(), None);
    for item in reader.by_ref() {
        match item {
            Ok(Item::Entry(entry)) => entries.push(*entry),
            Ok(Item::Rejected(row)) => rejected.push(row),
            Err(ReadError::Rejected(file)) => refusal = Some(file),
            Err(ReadError::Io(error)) => panic!("{error}"),
        }
    }
    assert!(reader.next().is_none(), "the reader goes on after its end");
    let summary = reader.summary();
    assert_eq!(summary.entries, entries.len() as u64);
    assert_eq!(summary.rejected, rejected.len() as u64);
    Outcome {
        entries,
        rejected,
        refusal,
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

/// Reads rows behind the small profile's header.
pub(crate) fn read_rows(rows: &str, profile: &Profile) -> Outcome {
    read(format!("{HEADER}{rows}").as_bytes(), profile)
}
