//! Where rows come from: lines, JSON or a workbook.

use std::io::Read;

use super::json::JsonRows;
use super::profile::{Profile, Syntax};
use super::row::Row;
use super::rows::CsvRows;
use super::sheet::SheetRows;
use crate::entry::FilePosition;
use crate::format::{FileRejected, ReadError};

/// The rows of a file, by the profile's syntax.
pub(super) enum Rows<R: Read> {
    Csv(Box<CsvRows<R>>),
    Json(Box<JsonRows<R>>),
    Sheet(Box<SheetRows<R>>),
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R, profile: &Profile) -> Self {
        match profile.syntax {
            Syntax::Delimited => Self::Csv(Box::new(CsvRows::new(input, profile))),
            Syntax::Json => Self::Json(Box::new(JsonRows::new(input, profile))),
            Syntax::Excel => Self::Sheet(Box::new(SheetRows::new(input, profile))),
        }
    }

    /// The next row; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&Row>, ReadError> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Json(rows) => rows.next(),
            Self::Sheet(rows) => rows.next(),
        }
    }

    /// A difference of the file as a whole that is tolerated: where, its kind, and what was seen.
    pub(super) fn finding(&self) -> Option<(FilePosition, &'static str, String)> {
        match self {
            Self::Csv(rows) => rows.padding_at().map(|at| {
                let what = "the file is filled up with them; skipped";
                (at, "NUL bytes at the end", what.to_owned())
            }),
            Self::Json(_) => None,
            Self::Sheet(rows) => rows.other_sheets(),
        }
    }

    /// The end of the file: what must have been in it was there.
    pub(super) fn finish(&self, profile: &Profile) -> Result<(), FileRejected> {
        match self {
            Self::Json(rows) => rows.check_keys(profile),
            Self::Csv(_) | Self::Sheet(_) => Ok(()),
        }
    }
}
