//! Headers and controls: where batches and the file begin and end, and whether they add up.

use super::batch::{BATCH_NUMBER, Batch, COMPANY_ID, Class, SERVICE_CLASS};
use super::entries::Pending;
use super::findings::{Difference, Remark};
use super::lines::Line;
use super::record::{Field, Record, WIDTH, latest_year};
use super::refusal::{SEND_AGAIN, not_nacha, refuse, wrong_length};
use super::state::{Section, State, require_width};
use super::totals::{BATCH, BATCH_ADV, ControlFields, FILE, FILE_ADV, Sums};
use crate::entry::FilePosition;
use crate::format::FileRejected;

const PRIORITY: Field = Field::new("priority code", 2, 3);
const RECORD_SIZE: Field = Field::new("record size", 35, 37);
const CREATION_DATE: Field = Field::new("file creation date", 24, 29);
const CONTROL_COMPANY_ID: Field = Field::new("company identification", 45, 54);
const BATCH_COUNT: Field = Field::new("batch count", 2, 7);
const BLOCK_COUNT: Field = Field::new("block count", 8, 13);

/// Records in a block.
const BLOCK: u64 = 10;

/// Characters of a file header up to its format code; names may follow or be cut off.
const SHORTEST_HEADER: usize = 40;
/// Characters of a file control up to its totals; blanks follow or are cut off.
const SHORTEST_CONTROL: usize = 55;

impl State {
    pub(super) fn file_header(&mut self, line: &Line, first: bool) -> Result<(), FileRejected> {
        if !first {
            let why = "a file header (1) follows other records; a file holds one file header, \
                       so split it and send the parts one by one";
            return Err(refuse(line.at, Some("record type (1)".to_owned()), why));
        }
        let record = &line.record;
        if record.cells(PRIORITY) != b"01" && record.cells(RECORD_SIZE) != b"094" {
            let seen = "the first record begins with 1 but is no file header (101 … 094101)";
            return Err(not_nacha(line.at, seen));
        }
        require_at_least(line, SHORTEST_HEADER)?;
        self.has_header = true;
        match record.date(CREATION_DATE, latest_year(self.reference)) {
            Ok(Some(date)) => self.reference = date,
            Ok(None) => {}
            Err(()) => self.findings.remark(Remark::UnreadableDate, line.at, || {
                format!("{CREATION_DATE} is no date; the day of receipt is used")
            }),
        }
        Ok(())
    }

    pub(super) fn batch_header(&mut self, line: &Line) -> Result<(), FileRejected> {
        self.finish_entry();
        self.leave_batch_without_control()?;
        let batch = Batch::read(line.at, &line.record, self.reference)?;
        require_width(line)?;
        for field in &batch.unreadable {
            self.findings.remark(Remark::UnreadableDate, line.at, || {
                format!("{field} is no date")
            });
        }
        if let (Some(last), Some(number)) = (self.file.last_batch_number, batch.number)
            && number <= last
        {
            let what = || format!("batch {number} follows batch {last}");
            self.differ(
                Difference::BatchOrder,
                Some(line.at),
                Some(BATCH_NUMBER.to_string()),
                what,
            )?;
        }
        self.file.last_batch_number = batch.number;
        self.batch = Some(batch);
        Ok(())
    }

    pub(super) fn batch_control(&mut self, line: &Line) -> Result<(), FileRejected> {
        self.finish_entry();
        require_width(line)?;
        let batch = match self.batch.take() {
            Some(batch) => batch,
            None => {
                let what = || "a batch control (8) belongs to no batch header (5)".to_owned();
                self.differ(Difference::MissingBatchHeader, Some(line.at), None, what)?;
                Batch::without_header(line.at)
            }
        };
        let fields = if batch.class == Class::Accounting {
            &BATCH_ADV
        } else {
            &BATCH
        };
        self.compare(line.at, &line.record, &batch.sums, fields)?;
        self.compare_with_header(line, &batch)?;
        self.file.closed_batches += 1;
        self.add_batch(&batch);
        Ok(())
    }

    /// What the control repeats of its header. Accounting batches keep other data there.
    fn compare_with_header(&mut self, line: &Line, batch: &Batch) -> Result<(), FileRejected> {
        let record = &line.record;
        let number = |number: u64| number.to_string();
        let mut pairs = vec![
            (
                SERVICE_CLASS,
                batch.service_class.clone(),
                record.text(SERVICE_CLASS),
            ),
            (
                BATCH_NUMBER,
                batch.number.map(number),
                record.number(BATCH_NUMBER).map(number),
            ),
        ];
        if batch.class != Class::Accounting {
            let company_id = record.text(CONTROL_COMPANY_ID);
            pairs.push((COMPANY_ID, batch.company_id.clone(), company_id));
        }
        for (field, header, control) in pairs {
            if let (Some(header), Some(control)) = (header, control)
                && header != control
            {
                let what = || {
                    format!(
                        "the batch control says {control}, its header (line {}) {header}",
                        batch.at.line
                    )
                };
                let field = Some(field.to_string());
                self.differ(Difference::BatchFields, Some(line.at), field, what)?;
            }
        }
        Ok(())
    }

    pub(super) fn file_control(&mut self, line: &Line) -> Result<(), FileRejected> {
        self.finish_entry();
        self.leave_batch_without_control()?;
        require_at_least(line, SHORTEST_CONTROL)?;
        self.section = Section::End;
        self.has_control = true;
        let batches = line.record.number(BATCH_COUNT);
        if batches != Some(self.file.batches) {
            let count = self.file.batches;
            let what = || {
                format!(
                    "{} {}",
                    said("the file control", batches),
                    counted("batches", count)
                )
            };
            let field = Some(BATCH_COUNT.to_string());
            self.differ(Difference::BatchCount, Some(line.at), field, what)?;
        }
        let only_accounting =
            self.file.batches > 0 && self.file.accounting_batches == self.file.batches;
        let fields = if only_accounting { &FILE_ADV } else { &FILE };
        let sums = self.file.sums.clone();
        self.compare(line.at, &line.record, &sums, fields)?;
        self.file.blocks = Some((line.at, line.record.number(BLOCK_COUNT)));
        Ok(())
    }

    /// Compares a control record with the sums of what it controls.
    fn compare(
        &mut self,
        at: FilePosition,
        control: &Record,
        sums: &Sums,
        fields: &ControlFields,
    ) -> Result<(), FileRejected> {
        if sums.has_gaps() {
            self.findings.remark(Remark::UncheckedTotal, at, || {
                "an amount or a routing number of an entry could not be read".to_owned()
            });
        }
        for mismatch in sums.compare(control, fields) {
            let field = Some(mismatch.field.to_string());
            self.differ(mismatch.difference, Some(at), field, || {
                mismatch.to_string()
            })?;
        }
        Ok(())
    }

    fn leave_batch_without_control(&mut self) -> Result<(), FileRejected> {
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        if batch.has_header {
            let what = || "the batch that begins here has no control (8)".to_owned();
            self.differ(Difference::MissingBatchControl, Some(batch.at), None, what)?;
        }
        self.add_batch(&batch);
        Ok(())
    }

    fn add_batch(&mut self, batch: &Batch) {
        self.file.batches += 1;
        self.file.accounting_batches += u64::from(batch.class == Class::Accounting);
        self.file.sums.add_all(&batch.sums);
    }

    /// The end of the bytes.
    pub(super) fn finish(&mut self) -> Result<(), FileRejected> {
        if self.section == Section::Start {
            return self.finish_without_records();
        }
        if self.file.records == 0 {
            return Err(not_nacha(self.last_at, "it holds nothing but filler (9)"));
        }
        self.check_not_cut_off()?;
        self.finish_entry();
        self.leave_batch_without_control()?;
        if !self.has_control {
            let what = || {
                "the file ends without a file control (9), so nothing tells whether \
                           it is whole"
                    .to_owned()
            };
            self.differ(
                Difference::MissingFileControl,
                Some(self.last_at),
                None,
                what,
            )?;
        }
        self.check_blocks()?;
        self.settle_emptiness();
        Ok(())
    }

    fn finish_without_records(&mut self) -> Result<(), FileRejected> {
        if self.has_text() && !self.says_empty() {
            let seen = "no line of it is a record (records begin with 1, 5, 6, 7, 8 or 9)";
            return Err(not_nacha(self.last_at, seen));
        }
        self.settle_emptiness();
        Ok(())
    }

    /// A file may come without controls, but one that ends in the middle of an entry, or
    /// that has controls up to a batch which has none, was cut off on its way.
    fn check_not_cut_off(&self) -> Result<(), FileRejected> {
        if self.has_control {
            return Ok(());
        }
        let in_entry = self.pending.as_ref().is_some_and(Pending::awaits_addenda);
        let in_batch = self.batch.is_some() && self.has_header && self.file.closed_batches > 0;
        if !in_entry && !in_batch {
            return Ok(());
        }
        let place = if in_entry {
            "before the addenda of its last entry"
        } else {
            "in a batch"
        };
        Err(refuse(
            self.last_at,
            None,
            format!("the file is cut off {place}; {SEND_AGAIN}"),
        ))
    }

    /// Blocks of ten records, the last one filled up.
    fn check_blocks(&mut self) -> Result<(), FileRejected> {
        let Some((at, said_blocks)) = self.file.blocks else {
            return Ok(());
        };
        let all = self.file.records + self.file.filler;
        let needed = self.file.records.div_ceil(BLOCK);
        let present = all.div_ceil(BLOCK);
        if said_blocks != Some(needed) && said_blocks != Some(present) {
            let what = || {
                format!(
                    "{} {}",
                    said("the file control", said_blocks),
                    counted("blocks", present)
                )
            };
            self.differ(
                Difference::BlockCount,
                Some(at),
                Some(BLOCK_COUNT.to_string()),
                what,
            )?;
        }
        if !all.is_multiple_of(BLOCK) {
            let what = || format!("the last block has {} of {BLOCK} records", all % BLOCK);
            self.differ(Difference::MissingFiller, Some(self.last_at), None, what)?;
        }
        Ok(())
    }
}

fn said(who: &str, count: Option<u64>) -> String {
    match count {
        Some(count) => format!("{who} says {count},"),
        None => format!("{who} says something that is no number,"),
    }
}

fn counted(what: &str, count: u64) -> String {
    format!("but the file has {count} {what}")
}

/// Refuses a record that is too long, or shorter than cut-off blanks explain.
fn require_at_least(line: &Line, shortest: usize) -> Result<(), FileRejected> {
    if (shortest..=WIDTH).contains(&line.width) {
        return Ok(());
    }
    let record_type = char::from(line.record.record_type());
    Err(wrong_length(line.at, record_type, line.width, line.ended))
}
