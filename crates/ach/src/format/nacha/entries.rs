//! Entry details and their addenda: the items that the reader yields.

use super::addenda::{self, AddendaContent, NoCode, Purpose};
use super::batch::Class;
use super::detail::{ADDENDA_INDICATOR, AMOUNT, Detail};
use super::findings::{Difference, Remark};
use super::lines::Line;
use super::record::WIDTH;
use super::state::{State, require_width};
use crate::entry::{Direction, Entry, EntryKind, FilePosition};
use crate::format::{FileRejected, Item, Rejected};

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

impl Pending {
    /// Whether no addenda has come yet, and the detail does not say that there is none.
    pub(super) fn awaits_addenda(&self) -> bool {
        self.addenda == 0 && !self.detail.says_no_addenda()
    }
}

impl State {
    /// An entry detail. What it means is known once its addenda have come.
    pub(super) fn entry_detail(&mut self, line: Line) -> Result<(), FileRejected> {
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

    /// An addenda of the pending entry detail.
    pub(super) fn addenda(&mut self, line: &Line) -> Result<(), FileRejected> {
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
            Purpose::Return => AddendaContent::of_return(&line.record, class, self.reference),
            Purpose::Correction => AddendaContent::of_correction(&line.record, class),
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
    fn stage(&mut self, addenda_at: FilePosition, stage: AddendaContent) {
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

    fn reject(&mut self, at: FilePosition, field: String, why: String, amount_minor: Option<i64>) {
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
            let why = "no addenda follows, though the indicator does not say so (0), so it is \
                       not known why the entry came"
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
}
