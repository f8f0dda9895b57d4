//! The reader: tells the rows of a file apart and yields its entries.

use std::io::Read;

use super::layout::Layout;
use super::mapping::{self, Cells, Fault};
use super::profile::{Encoding, Profile, Trailer};
use super::row_kind::{self, RowKind};
use super::rows::{Row, Rows};
use super::tally::Tally;
use super::{control, refused};
use crate::entry::FilePosition;
use crate::format::{Emptiness, Item, ReadError, Rejected, Summary};

/// Reads a delimited file by its profile. Iterate to the end, then ask for the summary.
///
/// Memory is flat: one row of at most 1 MiB and the totals, whatever the size of the file.
/// After an error the iterator is at its end.
pub struct Reader<R> {
    profile: Profile,
    rows: Rows<R>,
    row: Row,
    /// Known from the start without a header, else from the header on.
    layout: Option<Layout>,
    tally: Tally,
    state: State,
    emptiness: Option<Emptiness>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    New,
    Reading,
    Done,
}

impl<R: Read> Reader<R> {
    /// Opens `input`. A profile with faults refuses the file at the first item.
    pub fn new(input: R, profile: Profile) -> Self {
        Self {
            rows: Rows::new(input, profile.delimiter, profile.quoting, profile.encoding),
            row: Row::default(),
            layout: (!profile.header).then(|| Layout::by_number(&profile)),
            tally: Tally::default(),
            state: State::New,
            emptiness: None,
            profile,
        }
    }

    /// What has been read so far; whole once the iterator is at its end.
    pub fn summary(&self) -> Summary {
        Summary {
            format: self.profile.name.clone(),
            entries: self.tally.entries,
            rejected: self.tally.rejected,
            debit_minor: self.tally.debit_minor,
            credit_minor: self.tally.credit_minor,
            unknown_minor: self.tally.unknown_minor,
            findings: self.tally.findings.clone(),
            emptiness: self.emptiness,
        }
    }

    /// Reads on to the next item; `None` at the end of the file.
    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        if self.state == State::New {
            self.check_profile()?;
            self.state = State::Reading;
        }
        let mut row = std::mem::take(&mut self.row);
        let found = loop {
            if !self.rows.read(&mut row)? {
                self.finish()?;
                break None;
            }
            if let Some(item) = self.look_at(&row)? {
                break Some(item);
            }
        };
        self.row = row;
        Ok(found)
    }

    fn check_profile(&self) -> Result<(), ReadError> {
        let faults = self.profile.validate();
        if faults.is_empty() {
            return Ok(());
        }
        let faults: Vec<String> = faults
            .iter()
            .map(|(key, message)| format!("{key}: {message}"))
            .collect();
        let why = format!(
            "the profile {:?} has faults: {}",
            self.profile.name,
            faults.join("; ")
        );
        Err(refused(None, None, why))
    }

    fn look_at(&mut self, row: &Row) -> Result<Option<Item>, ReadError> {
        let Some(at) = row.at else { return Ok(None) };
        if row.is_blank() {
            if row.len() > 1 {
                self.tally
                    .note(Some(at), "blank rows", || "rows of empty cells".to_owned());
            }
            return Ok(None);
        }
        self.tally.saw_text = true;
        if row_kind::says_no_records(&self.profile, row) {
            self.tally.sentence_at.get_or_insert(at);
            return Ok(None);
        }
        self.note_encoding(row);
        let trailer = self.profile.trailer.as_ref();
        if let Some(trailer) = trailer.filter(|trailer| control::is_trailer(trailer, row)) {
            self.check_single_trailer(at)?;
            let layout = self.layout.as_ref();
            control::check(&self.profile, trailer, layout, row, &mut self.tally)?;
            return Ok(None);
        }
        if self.layout.is_none() {
            self.read_header(row, at)?;
            return Ok(None);
        }
        self.look_behind_header(row, at)
    }

    fn read_header(&mut self, row: &Row, at: FilePosition) -> Result<(), ReadError> {
        if row.misquoted.is_some() {
            let why = "the header has text behind a closing quote".to_owned();
            return Err(refused(Some(at), None, why));
        }
        self.layout = Some(Layout::by_header(&self.profile, row, &mut self.tally)?);
        Ok(())
    }

    fn look_behind_header(
        &mut self,
        row: &Row,
        at: FilePosition,
    ) -> Result<Option<Item>, ReadError> {
        let Some(mut layout) = self.layout.take() else {
            return Ok(None);
        };
        let found = self.look_by_layout(row, at, &mut layout);
        self.layout = Some(layout);
        found
    }

    fn look_by_layout(
        &mut self,
        row: &Row,
        at: FilePosition,
        layout: &mut Layout,
    ) -> Result<Option<Item>, ReadError> {
        let kind = row_kind::of(&self.profile, layout, row, at, &mut self.tally)?;
        match kind {
            RowKind::Detail => self.detail(row, at, layout).map(Some),
            RowKind::Other => Ok(None),
            RowKind::Trailer => {
                self.check_single_trailer(at)?;
                let none = Trailer::default();
                let trailer = self.profile.trailer.as_ref().unwrap_or(&none);
                control::check(&self.profile, trailer, Some(layout), row, &mut self.tally)?;
                Ok(None)
            }
            RowKind::Unlisted(fault) => self.reject(at, fault, None).map(Some),
        }
    }

    fn detail(
        &mut self,
        row: &Row,
        at: FilePosition,
        layout: &mut Layout,
    ) -> Result<Item, ReadError> {
        if let Some(trailer_at) = self.tally.trailer_at {
            let why = format!(
                "a row behind the trailer in line {}: is this several files in one?",
                trailer_at.line
            );
            return Err(refused(Some(at), None, why));
        }
        row_kind::check_cut_off(row, layout)?;
        if let Some(fault) = self.fault_of_shape(row, at, layout)? {
            return self.reject(at, fault, None);
        }
        let cells = Cells {
            profile: &self.profile,
            layout,
            row,
        };
        let amount_minor = match cells.amount_minor() {
            Ok(amount_minor) => amount_minor,
            Err(fault) => return self.reject(at, fault, None),
        };
        match mapping::entry(&cells, at, amount_minor, &mut self.tally) {
            Ok(entry) => {
                self.tally.add(&entry)?;
                Ok(Item::Entry(Box::new(entry)))
            }
            Err(fault) => self.reject(at, fault, Some(amount_minor)),
        }
    }

    /// What is wrong with the row as a whole: its quotes, its encoding, its width.
    fn fault_of_shape(
        &self,
        row: &Row,
        at: FilePosition,
        layout: &mut Layout,
    ) -> Result<Option<Fault>, ReadError> {
        if let Some(index) = row.misquoted {
            let why = "text stands behind the closing quote; a quote within a cell is written \
                       twice, and if the vendor does not quote at all, set quoting = false";
            return Ok(Some(Fault {
                field: layout.name(index),
                why: why.to_owned(),
            }));
        }
        if row.is_foreign && self.profile.encoding == Encoding::Utf8 {
            let why = "the row is not UTF-8, the encoding that the profile demands".to_owned();
            return Ok(Some(Fault {
                field: "encoding".to_owned(),
                why,
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
        let why = format!("the row has {found} cells and {width} are expected");
        if row.spans_lines() {
            let why = format!(
                "{why}; it goes on to line {}, so a quote in it is probably not closed and the \
                 rows between would be lost",
                row.last_line
            );
            return Err(refused(Some(at), None, why));
        }
        Ok(Some(Fault {
            field: layout.name(width.min(found)),
            why,
        }))
    }

    /// Rejects the row. `amount` is what was read of its amount: `None` when nothing was.
    fn reject(
        &mut self,
        at: FilePosition,
        fault: Fault,
        amount: Option<Option<i64>>,
    ) -> Result<Item, ReadError> {
        let Fault { field, why } = fault;
        let rejected = Rejected {
            at,
            field: Some(field),
            why,
            amount_minor: amount.flatten(),
        };
        self.tally.reject(&rejected, amount.is_some())?;
        Ok(Item::Rejected(rejected))
    }

    fn check_single_trailer(&self, at: FilePosition) -> Result<(), ReadError> {
        let Some(first) = self.tally.trailer_at else {
            return Ok(());
        };
        let why = format!(
            "a second trailer, behind the one in line {}: is this several files in one?",
            first.line
        );
        Err(refused(Some(at), None, why))
    }

    fn note_encoding(&mut self, row: &Row) {
        if row.is_foreign && self.profile.encoding == Encoding::Auto {
            let what = "rows that are not UTF-8, read as Windows-1252";
            self.tally.note(row.at, "encoding", || what.to_owned());
        }
    }

    /// The end of the file: what must have come did come.
    fn finish(&mut self) -> Result<(), ReadError> {
        let emptiness = self.tally.emptiness();
        let needs_trailer = self
            .profile
            .trailer
            .as_ref()
            .is_some_and(|trailer| trailer.required);
        let has_said_nothing = matches!(emptiness, Some(Emptiness::NoBytes | Emptiness::Sentence));
        if needs_trailer && self.tally.trailer_at.is_none() && !has_said_nothing {
            let why = "the file ends without its trailer, so it looks cut off; fetch it again";
            return Err(refused(None, None, why.to_owned()));
        }
        if self.tally.entries + self.tally.rejected > 0 && self.tally.sentence_at.is_some() {
            self.tally.note(self.tally.sentence_at, "no records", || {
                "the file says that it has no records, and has some".to_owned()
            });
        }
        self.emptiness = emptiness;
        Ok(())
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let item = self.advance().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.state = State::Done;
        }
        item
    }
}
