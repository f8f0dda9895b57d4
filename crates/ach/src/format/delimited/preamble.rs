//! The rows before the header: a title, a date, who made the report.

use super::code;
use super::column::Column;
use super::profile::Profile;
use super::row::Row;
use super::tally::FileTally;
use crate::format::FileRejected;

/// The most rows before a header.
const MOST: u64 = 20;

/// Rows that were skipped because the header may still come.
#[derive(Debug, Default)]
pub(super) struct Preamble {
    rows: u64,
    /// Why the first of them is not the header.
    first: Option<FileRejected>,
}

impl Preamble {
    /// Skips a row that is not the header, because of `fault`. A row that looks like a header with
    /// other columns, or like an entry, is never skipped.
    pub(super) fn skip(
        &mut self,
        profile: &Profile,
        row: &Row,
        (fault, tally): (FileRejected, &mut FileTally),
    ) -> Result<(), FileRejected> {
        if self.rows == MOST || is_like_header(profile, row) || is_like_entry(row) {
            return Err(self.first.take().unwrap_or(fault));
        }
        self.rows += 1;
        self.first.get_or_insert(fault);
        tally.note(row.at, "rows before the header", || "skipped".to_owned());
        Ok(())
    }

    /// The end of the file: the header must have come.
    pub(super) fn finish(&mut self, has_header: bool) -> Result<(), FileRejected> {
        match self.first.take() {
            Some(fault) if !has_header => Err(fault),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether it has two of the profile's headers.
fn is_like_header(profile: &Profile, row: &Row) -> bool {
    let is_named = |cell: &&str| profile.columns.values().any(|column| column.is(cell));
    let has_names = |column: &Column| matches!(column, Column::Named(_));
    let named = profile.columns.values().filter(|column| has_names(column));
    row.cells().filter(is_named).count() >= named.count().min(2)
}

/// Whether a word of it is a code of the network.
fn is_like_entry(row: &Row) -> bool {
    row.cells().any(code::names_network_code)
}
