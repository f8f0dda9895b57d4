//! A NACHA return file, written as a stream: batches, controls and the last block filled up.

use std::io::{self, Write};

use chrono::Datelike as _;
use chrono::NaiveDate;

use super::line::SampleLine;
use super::payment::{ODFI, SampleWorld, banking_day_until};
use super::people::check_digit;

/// How entries are grouped into batches. Corrections always have batches of their own, as the
/// rules require.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As few batches as possible.
    OneBatch,
    /// The maximum number of entries in a batch.
    PerBatch(u64),
}

#[derive(Default)]
struct NachaTotals {
    lines: u64,
    batches: u64,
    entries_and_addenda: u64,
    hash: u64,
    debit_minor: u64,
}

struct NachaBatch {
    is_correction: bool,
    entries: u64,
    hash: u64,
    debit_minor: u64,
}

struct NachaWriter<'a, W> {
    out: &'a mut W,
    day: NaiveDate,
    file: NachaTotals,
    batch: Option<NachaBatch>,
}

/// The returning bank of the sample world.
const RDFI: &str = "09100001";

/// Writes the entries as a NACHA file.
pub(crate) fn nacha<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    layout: Layout,
    out: &mut W,
) -> io::Result<()> {
    let mut writer = NachaWriter {
        out,
        day: banking_day_until(world.today),
        file: NachaTotals::default(),
        batch: None,
    };
    writer.file_header()?;
    for line in lines {
        let full = match (&writer.batch, layout) {
            (None, _) => true,
            (Some(batch), _) if batch.is_correction != line.is_correction => true,
            (Some(_), Layout::OneBatch) => false,
            (Some(batch), Layout::PerBatch(most)) => batch.entries >= most,
        };
        if full {
            writer.close_batch()?;
            writer.open_batch(&line)?;
        }
        writer.entry(&line)?;
    }
    writer.close_batch()?;
    writer.file_control()
}

impl<W: Write> NachaWriter<'_, W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.file.lines += 1;
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn file_header(&mut self) -> io::Result<()> {
        let line = format!(
            "101 {ODFI}{} {RDFI}{}{}0900A094101{:<23}{:<23}{:8}",
            check_digit(ODFI),
            check_digit(RDFI),
            self.day.format("%y%m%d"),
            "SAMPLE BANK",
            "SAMPLE OPERATOR",
            ""
        );
        self.line(&line)
    }

    fn open_batch(&mut self, line: &SampleLine) -> io::Result<()> {
        self.file.batches += 1;
        let sec = if line.is_correction { "COR" } else { "WEB" };
        let record = format!(
            "5225{:<16.16}{:20}{:<10}{sec}{:<10}{:6}{}{:03}1{RDFI}{:07}",
            "RALLYPAY",
            "",
            "1234567890",
            "PAYMENT",
            "",
            line.payment.settled_on.format("%y%m%d"),
            self.day.ordinal(),
            self.file.batches % 10_000_000
        );
        self.batch = Some(NachaBatch {
            is_correction: line.is_correction,
            entries: 0,
            hash: 0,
            debit_minor: 0,
        });
        self.line(&record)
    }

    fn entry(&mut self, line: &SampleLine) -> io::Result<()> {
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let payment = &line.payment;
        let amount = if line.is_correction {
            0
        } else {
            payment.amount_minor.unsigned_abs()
        };
        batch.entries += 1;
        // The receiving institution of a returned entry is the original's originator.
        batch.hash += ODFI.parse::<u64>().unwrap_or_default();
        batch.debit_minor += amount;
        let trace = format!("{RDFI}{:07}", batch.entries % 10_000_000);
        let code = if payment.account.is_savings {
            "36"
        } else {
            "26"
        };
        let entry = format!(
            "6{code}{ODFI}{}{:<17.17}{amount:010}{:<15.15}{:<22.22}  1{trace}",
            check_digit(ODFI),
            payment.account.number,
            payment.individual_id,
            payment.person,
        );
        let bank = payment.account.routing.get(..8).unwrap_or(RDFI);
        let addenda = if line.is_correction {
            format!(
                "798{}{}{:6}{bank}{:<29.29}{:15}{trace}",
                line.code,
                payment.ach_trace,
                "",
                corrected(line),
                ""
            )
        } else {
            format!(
                "799{}{}{:6}{bank}{:44}{trace}",
                line.code, payment.ach_trace, "", ""
            )
        };
        self.line(&entry)?;
        self.line(&addenda)
    }

    fn close_batch(&mut self) -> io::Result<()> {
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        let count = batch.entries * 2;
        let record = format!(
            "8225{:06}{:010}{:012}{:012}{:<10}{:25}{RDFI}{:07}",
            count % 1_000_000,
            batch.hash % 10_000_000_000,
            batch.debit_minor,
            0,
            "1234567890",
            "",
            self.file.batches % 10_000_000
        );
        self.file.entries_and_addenda += count;
        self.file.hash += batch.hash;
        self.file.debit_minor += batch.debit_minor;
        self.line(&record)
    }

    fn file_control(&mut self) -> io::Result<()> {
        let blocks = (self.file.lines + 1).div_ceil(10);
        let record = format!(
            "9{:06}{:06}{:08}{:010}{:012}{:012}{:39}",
            self.file.batches % 1_000_000,
            blocks % 1_000_000,
            self.file.entries_and_addenda % 100_000_000,
            self.file.hash % 10_000_000_000,
            self.file.debit_minor,
            0,
            ""
        );
        self.line(&record)?;
        while !self.file.lines.is_multiple_of(10) {
            self.line(&"9".repeat(94))?;
        }
        Ok(())
    }
}

/// The corrected data of a change: an account, a routing number, or a transaction code.
fn corrected(line: &SampleLine) -> String {
    match line.code {
        "C02" => line.payment.account.routing.clone(),
        "C05" => "37".to_owned(),
        _ => format!("9{}", line.payment.account.number),
    }
}
