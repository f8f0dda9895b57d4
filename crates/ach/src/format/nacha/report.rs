//! What reading a file has given so far, and what it may tolerate.

use chrono::NaiveDate;

use super::record::RecordField;
use super::tolerance::{Difference, Tolerance};
use super::totals::ControlMismatch;
use crate::entry::FilePosition;
use crate::format::{FileRejected, Summary};

/// The summary as far as the file was read, with the differences that are tolerated in it.
#[derive(Debug)]
pub(super) struct Report {
    tolerance: Tolerance,
    pub(super) summary: Summary,
}

impl Report {
    pub(super) fn new(tolerance: Tolerance) -> Self {
        let summary = Summary {
            format: "nacha".to_owned(),
            ..Summary::default()
        };
        Self { tolerance, summary }
    }

    /// A difference: a finding when it is tolerated, the end of the file when it is not.
    pub(super) fn differ(
        &mut self,
        difference: Difference,
        at: FilePosition,
        field: Option<RecordField>,
        what: impl FnOnce() -> String,
    ) -> Result<(), FileRejected> {
        if self.tolerance.tolerates(difference) {
            self.note(difference.setting(), at, || match field {
                Some(field) => format!("{field}: {}", what()),
                None => what(),
            });
            return Ok(());
        }
        let way_out = match difference {
            Difference::MissingFileControl | Difference::MissingBatchControl => {
                ", or import this one with --accept-missing-controls; a bank that never sends it \
                 needs the source's setting"
            }
            _ => ", or tolerate it with the source's setting",
        };
        let rejected = FileRejected::new(format!(
            "{}; ask the sender for a correct file{way_out} `{}`",
            what(),
            difference.setting()
        ));
        Err(match field {
            Some(field) => rejected.at(at).in_field(field),
            None => rejected.at(at),
        })
    }

    /// A field of the control record at `at` that does not fit the records.
    pub(super) fn control_differs(
        &mut self,
        at: FilePosition,
        mismatch: ControlMismatch,
    ) -> Result<(), FileRejected> {
        self.differ(mismatch.difference, at, Some(mismatch.field), || {
            mismatch.what
        })
    }

    /// Counts something worth reporting that never rejects a file.
    pub(super) fn note(&mut self, kind: &str, at: FilePosition, what: impl FnOnce() -> String) {
        self.summary.note(Some(at), kind, what);
    }

    /// Counts dates that could not be read.
    pub(super) fn note_unreadable_dates(&mut self, fields: &[RecordField], at: FilePosition) {
        for field in fields {
            self.note("unreadable dates", at, || {
                format!("{field} is not a valid date")
            });
        }
    }

    /// Counts dates that lie too far from the file's own to be meant.
    pub(super) fn note_implausible_dates(
        &mut self,
        dates: &[(RecordField, NaiveDate)],
        at: FilePosition,
    ) {
        for (field, date) in dates {
            self.note("implausible dates", at, || {
                format!("{field} is {date}, far from the date of the file; taken as unknown")
            });
        }
    }

    /// Counts a record of an accounting entry, which is never a return.
    pub(super) fn note_accounting(&mut self, at: FilePosition) {
        self.note("accounting entries (ADV)", at, || "left out".to_owned());
    }
}
