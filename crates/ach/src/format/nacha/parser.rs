//! The parser: the order of records, from the file header to the filler.

use chrono::NaiveDate;

use super::Tolerance;
use super::addenda::AddendaType;
use super::batches::Batches;
use super::blocks::Blocks;
use super::dates::Dates;
use super::entries::Entries;
use super::lines::{RECORDS_BEGIN, RecordLine, SEND_AGAIN, not_nacha};
use super::not_records::Says;
use super::record::{RECORD_TYPE, RecordField, WIDTH};
use super::reject;
use super::report::Report;
use super::tolerance::Difference;
use crate::entry::FilePosition;
use crate::format::window::Window;
use crate::format::{Emptiness, FileRejected, Item, Summary};

const PRIORITY: RecordField = RecordField::new("priority code", 2, 3);
const RECORD_SIZE: RecordField = RecordField::new("record size", 35, 37);
const CREATION_DATE: RecordField = RecordField::new("file creation date", 24, 29);

/// Characters of a file header up to its format code; names may follow or be cut off.
const SHORTEST_HEADER: usize = 40;
/// Characters of a file control up to its totals; blanks follow or are cut off.
const SHORTEST_CONTROL: usize = 55;
/// Lines of text before the first record that are still a banner.
const LONGEST_BANNER: u64 = 50;

/// The part of the file that has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileSection {
    /// Nothing but text or blank lines so far.
    Start,
    /// Headers, batches and entries.
    Body,
    /// The file control, or the filler, has been read.
    End,
}

/// Everything that is kept while a file is read.
#[derive(Debug)]
pub(super) struct FileParser {
    received_on: NaiveDate,
    /// The date against which days of the year are resolved.
    reference: NaiveDate,
    section: FileSection,
    has_header: bool,
    has_control: bool,
    last_at: FilePosition,
    /// A line of text after records; only text may follow it.
    text_after_records: Option<FilePosition>,
    texts: u64,
    /// Whether a line said that there is nothing.
    says_nothing: bool,
    /// A line of text that looks like data of another format.
    data_at: Option<FilePosition>,
    batches: Batches,
    entries: Entries,
    blocks: Blocks,
    report: Report,
}

impl FileParser {
    pub(super) fn new(tolerance: Tolerance, received_on: NaiveDate) -> Self {
        Self {
            received_on,
            reference: received_on,
            section: FileSection::Start,
            has_header: false,
            has_control: false,
            last_at: FilePosition { line: 1, byte: 0 },
            text_after_records: None,
            texts: 0,
            says_nothing: false,
            data_at: None,
            batches: Batches::default(),
            entries: Entries::default(),
            blocks: Blocks::default(),
            report: Report::new(tolerance),
        }
    }

    /// The next item that is ready.
    pub(super) fn take(&mut self) -> Option<Item> {
        self.entries.take()
    }

    /// Forgets what is ready, after an error.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(super) fn summary(&self) -> Summary {
        self.report.summary.clone()
    }

    /// An empty line.
    pub(super) fn blank(&mut self, at: FilePosition) {
        self.report.note("blank lines", at, || "skipped".to_owned());
    }

    /// NUL bytes that end the file.
    pub(super) fn nuls(&mut self, at: FilePosition) {
        let what = || "the file is filled up with them; skipped".to_owned();
        self.report.note("NUL bytes at the end", at, what);
    }

    /// A line that is not a record. Banks put a line or two of their own around a file.
    pub(super) fn text(&mut self, at: FilePosition, says: Says) -> Result<(), FileRejected> {
        self.last_at = at;
        self.texts += 1;
        match says {
            Says::Nothing => self.says_nothing = true,
            Says::Data => {
                self.data_at.get_or_insert(at);
            }
            Says::Text => {}
        }
        if self.texts > LONGEST_BANNER {
            let seen = format!("too many of its lines are not records; {RECORDS_BEGIN}");
            return Err(not_nacha(at, &seen));
        }
        if self.section != FileSection::Start {
            self.text_after_records.get_or_insert(at);
        }
        let what = || "skipped lines that are not NACHA records".to_owned();
        self.report
            .differ(Difference::SurroundingText, at, None, what)
    }

    /// One record.
    pub(super) fn record(&mut self, line: RecordLine) -> Result<(), FileRejected> {
        self.last_at = line.at;
        if let Some(at) = self.text_after_records {
            let why = format!("this line between records is not a record; {RECORDS_BEGIN}");
            return Err(FileRejected::new(why).at(at).in_field(RECORD_TYPE));
        }
        if is_filler(&line) {
            return self.filler(&line);
        }
        if self.section == FileSection::End && is_nearly_filler(&line) {
            let what = || "filler (9) has zeros in it; skipped".to_owned();
            self.report.note("filler with zeros", line.at, what);
            return self.filler(&line);
        }
        if self.is_next_file(&line) {
            self.next_file(line.at)?;
        }
        self.check_place(&line)?;
        self.blocks.records += 1;
        if line.record.has_unshowable() {
            self.report.note("control characters", line.at, || {
                "the record has characters that cannot be shown".to_owned()
            });
        }
        let is_first = self.section == FileSection::Start;
        self.section = FileSection::Body;
        let record_type = line.record.record_type();
        if is_first && record_type != b'1' {
            let what = || "the first record is not a file header (1)".to_owned();
            self.report
                .differ(Difference::MissingFileHeader, line.at, None, what)?;
        }
        match record_type {
            b'1' => self.file_header(&line, is_first),
            b'5' => {
                self.entries.finish(&mut self.report)?;
                self.batches.header(&line, self.reference, &mut self.report)
            }
            b'6' => {
                self.entries.finish(&mut self.report)?;
                line.require_width()?;
                let batch = self.batches.open(line.at, &mut self.report)?;
                self.entries.detail(line, batch, &mut self.report)
            }
            b'7' => self.addenda(&line),
            b'8' => {
                self.entries.finish(&mut self.report)?;
                self.batches.control(&line, &mut self.report)
            }
            // RecordLines yields no other record type.
            _ => self.file_control(&line),
        }
    }

    /// Whether a whole file with header and control is at its end, and another begins: some senders
    /// put the files of a day one behind the other.
    fn is_next_file(&self, line: &RecordLine) -> bool {
        let is_whole = self.has_header && self.has_control && self.section == FileSection::End;
        is_whole && line.record.record_type() == b'1'
    }

    /// Ends the file so far, which its own control has checked, and begins the next.
    fn next_file(&mut self, at: FilePosition) -> Result<(), FileRejected> {
        self.finish_records()?;
        let what = || "each was checked by its own control".to_owned();
        self.report
            .note("several files one behind the other", at, what);
        self.section = FileSection::Start;
        self.has_header = false;
        self.has_control = false;
        self.reference = self.received_on;
        self.batches = Batches::default();
        self.blocks = Blocks::default();
        Ok(())
    }

    /// Whether a record may stand here, and looks like one.
    fn check_place(&self, line: &RecordLine) -> Result<(), FileRejected> {
        match self.section {
            FileSection::Start if line.width != WIDTH && line.record.record_type() != b'1' => {
                let width = line.width;
                let seen = format!("its first record has {width} characters instead of 94");
                Err(not_nacha(line.at, &seen))
            }
            FileSection::Start | FileSection::Body => Ok(()),
            FileSection::End => {
                let why = "a record follows the end of the file; a file has one file header and \
                           one file control, so split it and send the parts one by one";
                Err(FileRejected::new(why).at(line.at).in_field(RECORD_TYPE))
            }
        }
    }

    fn filler(&mut self, line: &RecordLine) -> Result<(), FileRejected> {
        if !line.ended {
            line.require_width()?;
        }
        self.entries.finish(&mut self.report)?;
        self.blocks.filler += 1;
        self.section = FileSection::End;
        Ok(())
    }

    fn file_header(&mut self, line: &RecordLine, is_first: bool) -> Result<(), FileRejected> {
        if !is_first {
            let why = "a file header (1) follows other records; a file has one file header, so \
                       split it and send the parts one by one";
            return Err(FileRejected::new(why).at(line.at).in_field(RECORD_TYPE));
        }
        let record = &line.record;
        if record.cells(PRIORITY) != b"01" && record.cells(RECORD_SIZE) != b"094" {
            let seen = "the first record begins with 1 but is not a file header (101 … 094101)";
            return Err(not_nacha(line.at, seen));
        }
        line.require_at_least(SHORTEST_HEADER)?;
        self.has_header = true;
        self.batches.reject_code = reject::code_of(record);
        let mut dates = Dates::of(record, self.reference);
        if let Some(date) = dates.near(CREATION_DATE, Window::CREATION) {
            self.reference = date;
        }
        self.report
            .note_unreadable_dates(&dates.unreadable, line.at);
        self.report
            .note_implausible_dates(&dates.implausible, line.at);
        Ok(())
    }

    fn addenda(&mut self, line: &RecordLine) -> Result<(), FileRejected> {
        let explains = match AddendaType::of(&line.record) {
            Some(AddendaType::Return | AddendaType::Correction) => true,
            Some(AddendaType::Payment) | None => false,
        };
        if !explains || !line.ended {
            line.require_width()?;
        }
        let batch = self.batches.open(line.at, &mut self.report)?;
        batch.sums.records += 1;
        self.entries
            .addenda(line, self.reference, batch, &mut self.report)
    }

    fn file_control(&mut self, line: &RecordLine) -> Result<(), FileRejected> {
        self.entries.finish(&mut self.report)?;
        self.batches.leave(&mut self.report)?;
        line.require_at_least(SHORTEST_CONTROL)?;
        self.section = FileSection::End;
        self.has_control = true;
        self.batches.file_control(line, &mut self.report)?;
        self.blocks.read_count(line);
        Ok(())
    }

    /// The end of the bytes.
    pub(super) fn finish(&mut self) -> Result<(), FileRejected> {
        if self.section == FileSection::Start {
            if self.texts > 0 && (self.data_at.is_some() || !self.says_nothing) {
                let seen = format!("no line of it is a record; {RECORDS_BEGIN}");
                return Err(not_nacha(self.data_at.unwrap_or(self.last_at), &seen));
            }
        } else {
            self.finish_records()?;
        }
        self.report.summary.emptiness = self.emptiness();
        Ok(())
    }

    fn finish_records(&mut self) -> Result<(), FileRejected> {
        if self.blocks.records == 0 {
            return Err(not_nacha(self.last_at, "it has nothing but filler (9)"));
        }
        self.check_not_cut_off()?;
        self.entries.finish(&mut self.report)?;
        self.batches.leave(&mut self.report)?;
        if !self.has_control {
            let what =
                || "the file ends without a file control (9), so it may be incomplete".to_owned();
            self.report
                .differ(Difference::MissingFileControl, self.last_at, None, what)?;
        }
        self.blocks.check(self.last_at, &mut self.report)
    }

    /// A file may come without controls. One that ends in the middle of an entry, or in a batch
    /// without a control after batches that have one, was cut off on its way.
    fn check_not_cut_off(&self) -> Result<(), FileRejected> {
        let place = if self.has_control {
            return Ok(());
        } else if self.entries.await_addenda() {
            "before the addenda of its last entry"
        } else if self.has_header && self.batches.await_control() {
            "in a batch"
        } else {
            return Ok(());
        };
        let why = format!("the file is cut off {place}; {SEND_AGAIN}");
        Err(FileRejected::new(why).at(self.last_at))
    }

    /// Whether and how the file, now at its end, is empty.
    fn emptiness(&self) -> Option<Emptiness> {
        let summary = &self.report.summary;
        if summary.entries + summary.rejected > 0 {
            return None;
        }
        match self.section {
            FileSection::Start if self.texts == 0 => Some(Emptiness::NoBytes),
            FileSection::Start => Some(Emptiness::Sentence),
            FileSection::Body | FileSection::End if summary.left_out > 0 => {
                Some(Emptiness::LeftOut)
            }
            FileSection::Body | FileSection::End => Some(Emptiness::HeaderOnly),
        }
    }
}

/// Filler with some zeros in it, as some programs write it. A file control has blanks.
fn is_nearly_filler(line: &RecordLine) -> bool {
    let nines = line.record.nines_among_zeros(line.width);
    line.width <= WIDTH && nines.is_some_and(|nines| 2 * nines > line.width)
}

/// Filler completes the last block: records of nothing but `9`.
fn is_filler(line: &RecordLine) -> bool {
    line.width <= WIDTH && line.record.is_all_nines(line.width)
}
