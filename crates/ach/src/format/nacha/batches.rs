//! Batches and their controls: where each begins and ends, and whether they add up.

use chrono::NaiveDate;

use super::batch::{BATCH_NUMBER, BatchClass, COMPANY_ID, OpenBatch, SERVICE_CLASS};
use super::lines::RecordLine;
use super::record::RecordField;
use super::report::Report;
use super::tolerance::Difference;
use super::totals::{BATCH, BATCH_ADV, ControlFields, ControlMismatch, FILE, FILE_ADV, Sums};
use crate::entry::FilePosition;
use crate::format::FileRejected;

const CONTROL_COMPANY_ID: RecordField = RecordField::new("company identification", 45, 54);
const BATCH_COUNT: RecordField = RecordField::new("batch count", 2, 7);

/// The open batch, and what those before it add up to.
#[derive(Debug, Default)]
pub(super) struct Batches {
    open: Option<OpenBatch>,
    sums: Sums,
    count: u64,
    accounting: u64,
    /// Batches that ended with a control.
    closed: u64,
    last_number: Option<u64>,
    /// The code with which the bank rejected the whole file.
    pub(super) reject_code: Option<String>,
}

impl Batches {
    /// The open batch. A record that belongs to none opens one without a header.
    pub(super) fn open(
        &mut self,
        at: FilePosition,
        report: &mut Report,
    ) -> Result<&mut OpenBatch, FileRejected> {
        if self.open.is_none() {
            let what = || "the record belongs to no batch header (5)".to_owned();
            report.differ(Difference::MissingBatchHeader, at, None, what)?;
        }
        let reject_code = &self.reject_code;
        Ok(self.open.get_or_insert_with(|| OpenBatch {
            reject_code: reject_code.clone(),
            ..OpenBatch::without_header(at)
        }))
    }

    /// Whether a batch is open though batches before it ended with a control.
    pub(super) fn await_control(&self) -> bool {
        self.open.is_some() && self.closed > 0
    }

    /// Takes a batch header. `reference` is the date of the file.
    pub(super) fn header(
        &mut self,
        line: &RecordLine,
        reference: NaiveDate,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        self.leave(report)?;
        let mut batch = OpenBatch::read(line.at, &line.record, reference)?;
        line.require_width()?;
        report.note_unreadable_dates(&batch.unreadable, line.at);
        report.note_implausible_dates(&batch.implausible, line.at);
        if let (Some(last), Some(number)) = (self.last_number, batch.number)
            && number <= last
        {
            let what = || format!("batch {number} follows batch {last}");
            report.differ(Difference::BatchOrder, line.at, Some(BATCH_NUMBER), what)?;
        }
        self.last_number = batch.number;
        batch.reject_code = batch.reject_code.or_else(|| self.reject_code.clone());
        self.open = Some(batch);
        Ok(())
    }

    /// Takes a batch control and closes its batch.
    pub(super) fn control(
        &mut self,
        line: &RecordLine,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        line.require_width()?;
        let batch = match self.open.take() {
            Some(batch) => batch,
            None => {
                let what = || "a batch control (8) belongs to no batch header (5)".to_owned();
                report.differ(Difference::MissingBatchHeader, line.at, None, what)?;
                OpenBatch::without_header(line.at)
            }
        };
        let is_accounting = batch.class == BatchClass::Accounting;
        let fields = if is_accounting { &BATCH_ADV } else { &BATCH };
        compare_sums(line, &batch.sums, fields, report)?;
        compare_with_header(line, &batch, report)?;
        self.closed += 1;
        self.add(&batch);
        Ok(())
    }

    /// Compares the file control with all batches.
    pub(super) fn file_control(
        &mut self,
        line: &RecordLine,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        let said = line.record.number(BATCH_COUNT);
        if said != Some(self.count) {
            let difference = Difference::BatchCount;
            let mismatch = ControlMismatch::of_count(difference, BATCH_COUNT, said, self.count);
            report.control_differs(line.at, mismatch)?;
        }
        let only_accounting = self.count > 0 && self.accounting == self.count;
        let fields = if only_accounting { &FILE_ADV } else { &FILE };
        compare_sums(line, &self.sums, fields, report)
    }

    /// Leaves the open batch, if there is one, without its control.
    pub(super) fn leave(&mut self, report: &mut Report) -> Result<(), FileRejected> {
        let Some(batch) = self.open.take() else {
            return Ok(());
        };
        if batch.has_header {
            let what = || "the batch that begins here has no control (8)".to_owned();
            report.differ(Difference::MissingBatchControl, batch.at, None, what)?;
        }
        self.add(&batch);
        Ok(())
    }

    fn add(&mut self, batch: &OpenBatch) {
        self.count += 1;
        self.accounting += u64::from(batch.class == BatchClass::Accounting);
        self.sums.add_all(&batch.sums);
    }
}

/// Compares a control record with the sums of what it controls.
fn compare_sums(
    control: &RecordLine,
    sums: &Sums,
    fields: &ControlFields,
    report: &mut Report,
) -> Result<(), FileRejected> {
    if sums.has_gaps() {
        report.note("totals that could not be checked", control.at, || {
            "an amount or a routing number of an entry could not be read".to_owned()
        });
    }
    let mismatches = sums.compare(&control.record, fields);
    mismatches
        .into_iter()
        .try_for_each(|mismatch| report.control_differs(control.at, mismatch))
}

/// Compares what the control repeats of its header. Accounting batches have other data there.
fn compare_with_header(
    line: &RecordLine,
    batch: &OpenBatch,
    report: &mut Report,
) -> Result<(), FileRejected> {
    let record = &line.record;
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let class = (batch.service_class.clone(), record.text(SERVICE_CLASS));
    let numbers = (number(batch.number), number(record.number(BATCH_NUMBER)));
    let mut pairs = vec![(SERVICE_CLASS, class), (BATCH_NUMBER, numbers)];
    if batch.class != BatchClass::Accounting {
        let company_ids = (batch.company_id.clone(), record.text(CONTROL_COMPANY_ID));
        pairs.push((COMPANY_ID, company_ids));
    }
    for (field, pair) in pairs {
        if let (Some(header), Some(control)) = pair
            && header != control
        {
            let header_line = batch.at.line;
            let what = || {
                format!(
                    "the batch control says {control}, its header (line {header_line}) {header}"
                )
            };
            report.differ(Difference::BatchFields, line.at, Some(field), what)?;
        }
    }
    Ok(())
}
