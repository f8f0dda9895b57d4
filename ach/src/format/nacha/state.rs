//! Where the reader is: the order of records, the open batch, the entry whose addenda are
//! still to come.

use std::collections::VecDeque;

use chrono::NaiveDate;

use super::Tolerance;
use super::addenda::{self, NoCode, Purpose, Stage};
use super::batch::{Batch, Class};
use super::detail::{ADDENDA_INDICATOR, AMOUNT, Detail};
use super::findings::{Difference, Findings, Remark};
use super::lines::Line;
use super::record::WIDTH;
use super::refusal::{refuse, wrong_length};
use super::totals::Sums;
use crate::entry::{Direction, Entry, EntryKind, Position};
use crate::format::{Emptiness, FileRejected, Item, Rejected, Summary};

/// The entry detail that the addenda to come belong to.
#[derive(Debug)]
pub(super) struct Pending {
    detail: Detail,
    /// Addenda of any type seen so far.
    addenda: u64,
    /// Addenda 98 and 99 seen so far, readable or not.
    stages: u64,
    /// Whether the entry itself was rejected, and its addenda with it.
    rejected: bool,
}

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
    pub(super) last_at: Position,
    /// A line of text that stood behind records; nothing but text may follow it.
    text_behind: Option<Position>,
    texts: u64,
    says_empty: bool,
    forward: u64,
    ready: VecDeque<Item>,
    summary: Summary,
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
    pub(super) blocks: Option<(Position, Option<u64>)>,
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
            last_at: Position { line: 1, byte: 0 },
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
    pub(super) fn blank(&mut self, at: Position) {
        self.findings
            .remark(Remark::BlankLine, at, || "skipped".to_owned());
    }

    /// A line that is no record. Banks put a line or two of their own around a file.
    pub(super) fn text(&mut self, at: Position, says_empty: bool) -> Result<(), FileRejected> {
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
        at: Option<Position>,
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
        Err(FileRejected { at, field, why })
    }

    /// The batch that is open; one without a header is opened where there is none.
    fn open_batch(&mut self, at: Position) -> Result<&mut Batch, FileRejected> {
        if self.batch.is_none() {
            let what = || "the record belongs to no batch header (5)".to_owned();
            self.differ(Difference::MissingBatchHeader, Some(at), None, what)?;
        }
        Ok(self.batch.get_or_insert_with(|| Batch::without_header(at)))
    }

    fn entry_detail(&mut self, line: Line) -> Result<(), FileRejected> {
        self.finish_entry();
        require_width(&line)?;
        let at = line.at;
        let batch = self.open_batch(at)?;
        let class = batch.class;
        let detail = Detail::new(at, line.record, class);
        batch
            .sums
            .add(detail.routing(), detail.amount_minor, detail.direction);
        if class == Class::Accounting {
            self.forward += 1;
            self.findings
                .remark(Remark::AccountingEntry, at, || "left out".to_owned());
            return Ok(());
        }
        if !detail.has_right_check_digit() {
            let what = || "the ninth digit of the routing number is wrong".to_owned();
            self.differ(Difference::CheckDigit, Some(at), None, what)?;
        }
        let rejected = detail.amount_minor.is_none();
        if rejected {
            self.reject(
                at,
                AMOUNT.to_string(),
                "the amount is not ten digits".to_owned(),
                None,
            );
        }
        self.pending = Some(Pending {
            detail,
            addenda: 0,
            stages: 0,
            rejected,
        });
        Ok(())
    }

    fn addenda(&mut self, line: &Line) -> Result<(), FileRejected> {
        let at = line.at;
        let purpose = addenda::purpose(&line.record);
        let explains = matches!(purpose, Some(Purpose::Return | Purpose::Correction));
        if !explains || !line.ended {
            require_width(line)?;
        }
        let batch = self.open_batch(at)?;
        batch.sums.records += 1;
        let class = batch.class;
        if class == Class::Accounting {
            self.findings
                .remark(Remark::AccountingEntry, at, || "left out".to_owned());
            return Ok(());
        }
        let Some(pending) = &mut self.pending else {
            let why = "the addenda follows no entry detail (6)".to_owned();
            self.reject(at, "record type (1)".to_owned(), why, None);
            return Ok(());
        };
        pending.addenda += 1;
        pending.stages += u64::from(explains || purpose.is_none());
        if pending.rejected {
            return Ok(());
        }
        let amount = pending.detail.amount();
        let Some(purpose) = purpose else {
            let why = "the addenda type is unknown; 98 and 99 explain an entry".to_owned();
            self.reject(at, addenda::TYPE.to_string(), why, amount);
            return Ok(());
        };
        if explains && line.width != WIDTH {
            let why = format!("the addenda has {} characters instead of 94", line.width);
            self.reject(at, "record length".to_owned(), why, amount);
            return Ok(());
        }
        let stage = match purpose {
            Purpose::Return => Stage::of_return(&line.record, class, self.reference),
            Purpose::Correction => Stage::of_correction(&line.record, class),
            Purpose::Payment => return Ok(()),
        };
        match stage {
            Ok(stage) => self.stage(at, stage),
            Err(NoCode(field)) => {
                self.reject(
                    at,
                    field.to_string(),
                    "the reason code is blank".to_owned(),
                    amount,
                );
            }
        }
        Ok(())
    }

    /// Yields the entry that a stage makes of the pending detail. The first stage stands
    /// where its detail stands, each further one on its own line.
    fn stage(&mut self, addenda_at: Position, stage: Stage) {
        let (Some(pending), Some(batch)) = (&self.pending, &self.batch) else {
            return;
        };
        let detail = &pending.detail;
        let at = if pending.stages > 1 {
            addenda_at
        } else {
            detail.at
        };
        for field in &stage.unreadable {
            let (remark, what) = if stage.original_amount.is_none() && field.is_amount() {
                (
                    Remark::UnreadableOriginalAmount,
                    format!("{field} is no number"),
                )
            } else {
                (Remark::UnreadableDate, format!("{field} is no date"))
            };
            self.findings.remark(remark, addenda_at, || what);
        }
        if detail.direction == Direction::Unknown {
            self.findings
                .remark(Remark::UnknownTransactionCode, detail.at, || {
                    format!(
                        "{:?} says neither debit nor credit",
                        detail.transaction_code()
                    )
                });
        }
        let entry = detail.entry(at, batch, stage);
        if let EntryKind::Correction { corrected, .. } = &entry.kind {
            if corrected.is_empty() {
                let what = || "the corrected data is blank".to_owned();
                self.findings
                    .remark(Remark::MissingCorrectedData, addenda_at, what);
            }
            if detail.amount_minor != Some(0) {
                let what = || "read as zero: a correction moves no money".to_owned();
                self.findings
                    .remark(Remark::AmountOfCorrection, detail.at, what);
            }
        }
        self.count(&entry);
        self.ready.push_back(Item::Entry(Box::new(entry)));
    }

    fn count(&mut self, entry: &Entry) {
        self.summary.entries += 1;
        let minor = entry.amount.map_or(0, crate::money::Money::minor);
        let sum = match entry.direction {
            Direction::Debit => &mut self.summary.debit_minor,
            Direction::Credit => &mut self.summary.credit_minor,
            Direction::Unknown => &mut self.summary.unknown_minor,
        };
        *sum = sum.saturating_add(minor);
    }

    fn reject(&mut self, at: Position, field: String, why: String, amount_minor: Option<i64>) {
        self.summary.rejected += 1;
        self.ready.push_back(Item::Rejected(Rejected {
            at,
            field: Some(field),
            why,
            amount_minor,
        }));
    }

    /// Ends the pending entry: no more addenda of it can come.
    pub(super) fn finish_entry(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        if pending.rejected || pending.stages > 0 {
            return;
        }
        if pending.awaits_addenda() {
            let why = "addenda are announced but none follows, so it is not known why the \
                       entry came"
                .to_owned();
            let amount = pending.detail.amount();
            self.reject(
                pending.detail.at,
                ADDENDA_INDICATOR.to_string(),
                why,
                amount,
            );
            return;
        }
        self.forward += 1;
        self.findings
            .remark(Remark::ForwardEntry, pending.detail.at, || {
                "entries without an addenda 98 or 99 were left out".to_owned()
            });
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

impl Pending {
    /// Whether addenda are announced and none has come yet.
    pub(super) fn awaits_addenda(&self) -> bool {
        self.addenda == 0 && self.detail.announces_addenda()
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
