//! Where the reader is: the order of records, the open batch, the entry whose addenda are
//! still to come.

use std::collections::VecDeque;

use chrono::NaiveDate;

use super::Tolerance;
use super::batch::Batch;
use super::entries::Pending;
use super::findings::{Difference, Findings, Remark};
use super::lines::Line;
use super::record::WIDTH;
use super::refusal::{not_nacha, refuse, wrong_length};
use super::totals::Sums;
use crate::entry::FilePosition;
use crate::format::{Emptiness, FileRejected, Item, Summary};

/// The part of the file that has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Nothing but text or blank lines so far.
    Start,
    /// Headers, batches and entries.
    Body,
    /// The file control, or the filler, has been read.
    End,
}

/// All that is kept while a file is read.
#[derive(Debug)]
pub(super) struct State {
    pub(super) tolerance: Tolerance,
    /// The date against which days of the year are resolved.
    pub(super) reference: NaiveDate,
    pub(super) section: Section,
    pub(super) has_header: bool,
    pub(super) has_control: bool,
    pub(super) batch: Option<Batch>,
    pub(super) pending: Option<Pending>,
    pub(super) file: FileSums,
    pub(super) findings: Findings,
    pub(super) last_at: FilePosition,
    /// A line of text that stood behind records; nothing but text may follow it.
    text_behind: Option<FilePosition>,
    texts: u64,
    says_empty: bool,
    /// Entries that are not returns.
    pub(super) forward: u64,
    pub(super) ready: VecDeque<Item>,
    pub(super) summary: Summary,
}

/// What the file adds up to.
#[derive(Debug, Default)]
pub(super) struct FileSums {
    pub(super) sums: Sums,
    pub(super) batches: u64,
    pub(super) accounting_batches: u64,
    /// Batches that ended with a control.
    pub(super) closed_batches: u64,
    pub(super) last_batch_number: Option<u64>,
    /// Records without the filler.
    pub(super) records: u64,
    /// Records of filler.
    pub(super) filler: u64,
    /// The block count of the file control, and where it stands.
    pub(super) blocks: Option<(FilePosition, Option<u64>)>,
}

/// Lines of text before the first record that are taken for a banner.
const LONGEST_BANNER: u64 = 50;

impl State {
    pub(super) fn new(tolerance: Tolerance, received_on: NaiveDate) -> Self {
        Self {
            tolerance,
            reference: received_on,
            section: Section::Start,
            has_header: false,
            has_control: false,
            batch: None,
            pending: None,
            file: FileSums::default(),
            findings: Findings::default(),
            last_at: FilePosition { line: 1, byte: 0 },
            text_behind: None,
            texts: 0,
            says_empty: false,
            forward: 0,
            ready: VecDeque::new(),
            summary: Summary {
                format: "nacha".to_owned(),
                entries: 0,
                rejected: 0,
                debit_minor: 0,
                credit_minor: 0,
                unknown_minor: 0,
                findings: Vec::new(),
                emptiness: None,
            },
        }
    }

    /// The next item that is ready.
    pub(super) fn take(&mut self) -> Option<Item> {
        self.ready.pop_front()
    }

    /// Forgets what is ready, after an error.
    pub(super) fn drop_pending(&mut self) {
        self.ready.clear();
    }

    pub(super) fn summary(&self) -> Summary {
        Summary {
            findings: self.findings.list(),
            ..self.summary.clone()
        }
    }

    /// An empty line.
    pub(super) fn blank(&mut self, at: FilePosition) {
        self.findings
            .remark(Remark::BlankLine, at, || "skipped".to_owned());
    }

    /// A line that is no record. Banks put a line or two of their own around a file.
    pub(super) fn text(&mut self, at: FilePosition, says_empty: bool) -> Result<(), FileRejected> {
        self.last_at = at;
        self.texts += 1;
        self.says_empty |= says_empty;
        if self.texts > LONGEST_BANNER {
            let why = "this is not a NACHA file: too many lines are no records (records begin \
                       with 1, 5, 6, 7, 8 or 9)";
            return Err(refuse(at, None, why));
        }
        if self.section != Section::Start {
            self.text_behind.get_or_insert(at);
        }
        let what = || "a line around the records that is none itself was skipped".to_owned();
        self.differ(Difference::SurroundingText, Some(at), None, what)
    }

    /// One record.
    pub(super) fn record(&mut self, line: Line) -> Result<(), FileRejected> {
        self.last_at = line.at;
        if let Some(at) = self.text_behind {
            let why = "this line between records is no record itself: records begin with \
                       1, 5, 6, 7, 8 or 9";
            return Err(refuse(at, Some("record type (1)".to_owned()), why));
        }
        if is_filler(&line) {
            if !line.ended {
                require_width(&line)?;
            }
            self.finish_entry();
            self.file.filler += 1;
            self.section = Section::End;
            return Ok(());
        }
        if self.section == Section::End {
            let why = "a record follows the end of the file; a file holds one file header and \
                       one file control, so split it and send the parts one by one";
            return Err(refuse(line.at, Some("record type (1)".to_owned()), why));
        }
        if self.section == Section::Start
            && line.width != WIDTH
            && line.record.record_type() != b'1'
        {
            let seen = format!(
                "its first record has {} characters instead of 94",
                line.width
            );
            return Err(not_nacha(line.at, &seen));
        }
        self.file.records += 1;
        if line.record.has_unshowable() {
            let what = || "the record has characters that cannot be shown".to_owned();
            self.findings
                .remark(Remark::ControlCharacter, line.at, what);
        }
        let record_type = line.record.record_type();
        if self.section == Section::Start && record_type != b'1' {
            let what = || "the first record is no file header (1)".to_owned();
            self.differ(Difference::MissingFileHeader, Some(line.at), None, what)?;
        }
        let first = self.section == Section::Start;
        self.section = Section::Body;
        match record_type {
            b'1' => self.file_header(&line, first),
            b'5' => self.batch_header(&line),
            b'6' => self.entry_detail(line),
            b'7' => self.addenda(&line),
            b'8' => self.batch_control(&line),
            // Lines yields no other record type.
            _ => self.file_control(&line),
        }
    }

    /// A difference: a finding when it is let pass, the end of the file when it is not.
    pub(super) fn differ(
        &mut self,
        difference: Difference,
        at: Option<FilePosition>,
        field: Option<String>,
        what: impl FnOnce() -> String,
    ) -> Result<(), FileRejected> {
        if self.tolerance.lets_pass(difference) {
            self.findings.differs(difference, at, || match field {
                Some(field) => format!("{field}: {}", what()),
                None => what(),
            });
            return Ok(());
        }
        let why = format!(
            "{}; ask the sender for a right file, or let the source's `{}` pass",
            what(),
            difference.setting()
        );
        Err(FileRejected {
            at,
            field,
            why,
            looks_like: None,
        })
    }

    /// The batch that is open; one without a header is opened where there is none.
    pub(super) fn open_batch(&mut self, at: FilePosition) -> Result<&mut Batch, FileRejected> {
        if self.batch.is_none() {
            let what = || "the record belongs to no batch header (5)".to_owned();
            self.differ(Difference::MissingBatchHeader, Some(at), None, what)?;
        }
        Ok(self.batch.get_or_insert_with(|| Batch::without_header(at)))
    }

    /// Whether and how the file, now at its end, is empty.
    pub(super) fn settle_emptiness(&mut self) {
        let nothing = self.summary.entries == 0 && self.summary.rejected == 0 && self.forward == 0;
        self.summary.emptiness = match self.section {
            Section::Start if self.texts == 0 => Some(Emptiness::NoBytes),
            Section::Start => Some(Emptiness::Sentence),
            Section::Body | Section::End => nothing.then_some(Emptiness::HeaderOnly),
        };
    }

    /// Whether lines of text alone say that there is nothing to report.
    pub(super) fn says_empty(&self) -> bool {
        self.says_empty
    }

    /// Whether there were lines of text.
    pub(super) fn has_text(&self) -> bool {
        self.texts > 0
    }
}

/// Filler completes the last block: records of nothing but `9`.
fn is_filler(line: &Line) -> bool {
    line.width <= WIDTH && line.record.is_all_nines(line.width)
}

/// Refuses a file with a record that has not 94 characters.
pub(super) fn require_width(line: &Line) -> Result<(), FileRejected> {
    if line.width == WIDTH {
        return Ok(());
    }
    let record_type = char::from(line.record.record_type());
    Err(wrong_length(line.at, record_type, line.width, line.ended))
}
