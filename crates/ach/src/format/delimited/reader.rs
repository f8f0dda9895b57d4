//! The reader: sorts the rows of a file and yields its entries.

use std::io::Read;

use chrono::NaiveDate;

use super::column::Field;
use super::control;
use super::layout::{ColumnLayout, note_unknown};
use super::mapping::{self, RowFault, RowFields};
use super::preamble::Preamble;
use super::profile::{DeclaredKind, Encoding, Profile};
use super::row::Row;
use super::row_kind::{self, RowKind};
use super::source::Rows;
use super::tally::FileTally;
use crate::format::{FileRejected, Item, ReadError, Summary};

/// Reads a delimited file by its profile.
///
/// Memory is flat: one row of at most 1 MiB and the totals, for a file of any size.
pub(in crate::format) struct DelimitedReader<R: Read> {
    rows: Rows<R>,
    parser: RowParser,
    begun: bool,
    finished: bool,
}

impl<R: Read> DelimitedReader<R> {
    /// Opens `input`. A profile with faults rejects the file at the first item.
    pub(in crate::format) fn new(input: R, profile: Profile, received_on: NaiveDate) -> Self {
        Self {
            rows: Rows::new(input, &profile),
            parser: RowParser::new(profile, received_on),
            begun: false,
            finished: false,
        }
    }

    pub(in crate::format) fn summary(&self) -> Summary {
        self.parser.tally.summary.clone()
    }

    /// Reads to the next item; `None` at the end of the file.
    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        if !self.begun {
            self.begun = true;
            self.parser.check_profile()?;
        }
        while let Some(row) = self.rows.next()? {
            if let Some(item) = self.parser.row(row)? {
                return Ok(Some(item));
            }
        }
        if let Some((at, kind, what)) = self.rows.finding() {
            self.parser.tally.note(at, kind, || what);
        }
        self.rows.finish(&self.parser.profile)?;
        self.parser.finish()?;
        Ok(None)
    }
}

impl<R: Read> Iterator for DelimitedReader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let item = self.advance().transpose();
        self.finished = !matches!(item, Some(Ok(_)));
        item
    }
}

/// Everything that is kept from row to row.
struct RowParser {
    profile: Profile,
    /// Known from the start without a header, else from the header on.
    layout: Option<ColumnLayout>,
    tally: FileTally,
    received_on: NaiveDate,
    preamble: Preamble,
}

impl RowParser {
    fn new(profile: Profile, received_on: NaiveDate) -> Self {
        let mut tally = FileTally::default();
        tally.summary.format.clone_from(&profile.name);
        Self {
            layout: (!profile.header).then(|| ColumnLayout::by_number(&profile)),
            tally,
            profile,
            received_on,
            preamble: Preamble::default(),
        }
    }

    fn check_profile(&self) -> Result<(), FileRejected> {
        let faults = self.profile.validate().into_iter();
        let faults: Vec<String> = faults
            .map(|(key, message)| format!("{key}: {message}"))
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        let (name, faults) = (&self.profile.name, faults.join("; "));
        Err(FileRejected::new(format!(
            "the profile {name:?} has faults: {faults}"
        )))
    }

    fn row(&mut self, row: &Row) -> Result<Option<Item>, FileRejected> {
        let Self {
            profile,
            layout,
            tally,
            received_on,
            preamble,
        } = self;
        if row.is_blank() {
            if row.len() > 1 {
                tally.note(row.at, "blank rows", || "rows of empty cells".to_owned());
            }
            return Ok(None);
        }
        if profile.is_aligned() && row.is_rule() {
            return Ok(None);
        }
        tally.saw_text = true;
        if row_kind::says_no_records(profile, row) {
            tally.sentence_at.get_or_insert(row.at);
            return Ok(None);
        }
        if row.is_foreign && profile.encoding == Encoding::Auto {
            let what = "rows that are not UTF-8, read as Windows-1252";
            tally.note(row.at, "encoding", || what.to_owned());
        }
        if profile
            .trailer
            .as_ref()
            .is_some_and(|trailer| control::is_trailer(trailer, row))
        {
            control::check(profile, layout.as_ref(), row, tally)?;
            return Ok(None);
        }
        let Some(layout) = layout else {
            match ColumnLayout::by_header(profile, row, tally) {
                Ok(found) => *layout = Some(found),
                Err(fault) => preamble.skip(profile, row, (fault, tally))?,
            }
            return Ok(None);
        };
        if let Some(extra) = &row.extra {
            note_unknown(profile, extra, row.at, tally);
        }
        match row_kind::of(profile, layout, row, tally)? {
            RowKind::Detail(_) if went_through(profile, layout, row) => {
                tally.leave_out(row.at, "payments that went through", || {
                    "rows with a success code".to_owned()
                });
                Ok(None)
            }
            RowKind::Detail(kind) => {
                let mut detail = Detail {
                    profile,
                    layout,
                    kind,
                    received_on: *received_on,
                };
                detail.read(row, tally).map(Some)
            }
            RowKind::Other => Ok(None),
            RowKind::Trailer => {
                control::check(profile, Some(layout), row, tally)?;
                Ok(None)
            }
            RowKind::Unlisted(fault) => tally.reject(row.at, fault, None).map(Some),
        }
    }

    /// The end of the file: what must have come did come.
    fn finish(&mut self) -> Result<(), FileRejected> {
        self.preamble.finish(self.layout.is_some())?;
        let trailer = self.profile.trailer.as_ref();
        self.tally
            .finish(trailer.is_some_and(|trailer| trailer.required))
    }
}

/// Whether the row's code is one of those that say that the payment went through.
fn went_through(profile: &Profile, layout: &ColumnLayout, row: &Row) -> bool {
    let code = layout.index(Field::Code).map(|index| row.value(index));
    let is_whole = Some(row.len()) == layout.width;
    let codes = &profile.success_codes;
    is_whole && code.is_some_and(|code| codes.contains(&code.to_uppercase()))
}

/// How a row is read that is an entry.
struct Detail<'a> {
    profile: &'a Profile,
    layout: &'a mut ColumnLayout,
    kind: DeclaredKind,
    received_on: NaiveDate,
}

impl Detail<'_> {
    fn read(&mut self, row: &Row, tally: &mut FileTally) -> Result<Item, FileRejected> {
        tally.check_no_trailer(row.at, "a row")?;
        row_kind::check_cut_off(row, self.layout)?;
        if let Some(fault) = fault_of_shape(self.profile, self.layout, row)? {
            return tally.reject(row.at, fault, None);
        }
        let fields = RowFields {
            profile: self.profile,
            layout: self.layout,
            row,
            kind: self.kind,
            received_on: self.received_on,
        };
        let amount_minor = match fields.amount_minor() {
            Ok(amount_minor) => amount_minor,
            Err(fault) => return tally.reject(row.at, fault, None),
        };
        match mapping::entry(&fields, amount_minor, tally) {
            Ok(entry) => tally.add(entry),
            Err(fault) => tally.reject(row.at, fault, Some(amount_minor)),
        }
    }
}

/// What is wrong with the row as a whole: its quotes, its encoding, its width. Without a header,
/// the first row with enough cells sets the width.
fn fault_of_shape(
    profile: &Profile,
    layout: &mut ColumnLayout,
    row: &Row,
) -> Result<Option<RowFault>, FileRejected> {
    if let Some((index, why)) = row.fault {
        return Ok(Some(RowFault {
            field: layout.name(index),
            why: why.to_owned(),
        }));
    }
    if row.is_foreign && profile.encoding == Encoding::Utf8 {
        return Ok(Some(RowFault {
            field: "encoding".to_owned(),
            why: "the row is not UTF-8, the encoding that the profile requires".to_owned(),
        }));
    }
    let (found, least) = (row.len(), layout.least_width());
    let width = match layout.width {
        Some(width) => width,
        None if found >= least => *layout.width.insert(found),
        None => least,
    };
    if found == width {
        return Ok(None);
    }
    let cells = if found == 1 { "cell" } else { "cells" };
    let why = format!("the row has {found} {cells} instead of {width}");
    if row.spans_lines() {
        let why = format!(
            "{why}; it continues to line {}, so one of its quotes is probably not closed, and the \
             rows between would be lost",
            row.last_line
        );
        return Err(FileRejected::new(why).at(row.at));
    }
    Ok(Some(RowFault {
        field: layout.name(width.min(found)),
        why,
    }))
}
