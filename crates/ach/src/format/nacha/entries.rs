//! Entry details and their addenda: the items that the reader yields.

use std::collections::VecDeque;

use chrono::NaiveDate;

use super::addenda::{self, AddendaContent, AddendaType};
use super::batch::{BatchClass, OpenBatch};
use super::detail::{ADDENDA_INDICATOR, AMOUNT, EntryDetail};
use super::lines::RecordLine;
use super::record::{RECORD_TYPE, WIDTH};
use super::reject::REJECT_CODE;
use super::report::Report;
use super::tolerance::Difference;
use crate::entry::{Direction, Entry, EntryKind, FilePosition};
use crate::format::{FileRejected, Item, Rejected};

/// The entry detail whose addenda are still to come, and the items that are ready.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pending: Option<PendingEntry>,
    ready: VecDeque<Item>,
}

#[derive(Debug)]
struct PendingEntry {
    detail: EntryDetail,
    /// What it is when no addenda explains it: an entry with a reject code.
    with_reject_code: Option<Box<Entry>>,
    /// Addenda of any type seen so far.
    addenda: u64,
    /// Addenda 98 and 99 seen so far, readable or not.
    explanations: u64,
    /// Whether the entry itself was rejected, and its addenda with it.
    rejected: bool,
}

impl Entries {
    /// The next item that is ready.
    pub(super) fn take(&mut self) -> Option<Item> {
        self.ready.pop_front()
    }

    /// Forgets what is ready, after an error.
    pub(super) fn clear(&mut self) {
        self.ready.clear();
    }

    /// Whether the pending entry has no addenda yet, and does not say that it has none.
    pub(super) fn await_addenda(&self) -> bool {
        let awaits = |entry: &PendingEntry| {
            let may_have_none = entry.detail.says_no_addenda() || entry.with_reject_code.is_some();
            entry.addenda == 0 && !may_have_none
        };
        self.pending.as_ref().is_some_and(awaits)
    }

    /// Takes an entry detail. What it means is known once its addenda have come.
    pub(super) fn detail(
        &mut self,
        line: RecordLine,
        batch: &mut OpenBatch,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        let at = line.at;
        let detail = EntryDetail::new(at, line.record, batch.class);
        batch
            .sums
            .add(detail.routing(), detail.amount_minor, detail.direction);
        if batch.class == BatchClass::Accounting {
            report.summary.left_out += 1;
            report.note_accounting(at);
            return Ok(());
        }
        if !detail.has_right_check_digit() {
            let what = || "the ninth digit of the routing number is wrong".to_owned();
            report.differ(Difference::CheckDigit, at, None, what)?;
        }
        let rejected = detail.amount_minor.is_none();
        if rejected {
            let why = "the amount is not ten digits";
            self.reject(Rejected::new(at, AMOUNT, why, None), report);
        }
        let reject_code = detail.reject_code.as_ref().or(batch.reject_code.as_ref());
        let with_reject_code =
            reject_code.map(|code| Box::new(detail.rejected(batch, code.clone())));
        self.pending = Some(PendingEntry {
            detail,
            with_reject_code,
            addenda: 0,
            explanations: 0,
            rejected,
        });
        Ok(())
    }

    /// Takes an addenda of the pending entry detail. `reference` is the date of the file.
    pub(super) fn addenda(
        &mut self,
        line: &RecordLine,
        reference: NaiveDate,
        batch: &OpenBatch,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        let (at, record) = (line.at, &line.record);
        if batch.class == BatchClass::Accounting {
            report.note_accounting(at);
            return Ok(());
        }
        let Some(pending) = &mut self.pending else {
            let why = "the addenda follows no entry detail (6)";
            self.reject(Rejected::new(at, RECORD_TYPE, why, None), report);
            return Ok(());
        };
        let addenda_type = AddendaType::of(record);
        pending.addenda += 1;
        pending.explanations += u64::from(addenda_type != Some(AddendaType::Payment));
        if pending.rejected {
            return Ok(());
        }
        let amount_minor = pending.detail.amount();
        let rejected = |field: String, why: &str| Rejected::new(at, field, why, amount_minor);
        let blank_code = || rejected(addenda::CODE.to_string(), "the reason code is blank");
        let content = match addenda_type {
            Some(AddendaType::Payment) => {
                if let Some(id) = addenda::receiver_id(record, batch.class) {
                    pending.detail.receiver_id = Some(id);
                }
                return Ok(());
            }
            Some(_) if pending.with_reject_code.is_some() => {
                let why = "the entry has a reject code and an addenda 98 or 99, so it is unclear \
                           whether it entered the network; ask the sender";
                Err(rejected(REJECT_CODE.to_string(), why))
            }
            None => {
                let why = "the addenda type is unknown; 98 and 99 explain an entry";
                Err(rejected(addenda::TYPE.to_string(), why))
            }
            Some(_) if line.width != WIDTH => {
                let why = format!("the addenda has {} characters instead of 94", line.width);
                Err(rejected("record length".to_owned(), &why))
            }
            Some(AddendaType::Return) if addenda::has_change_code(record) => {
                report.note("corrections in an addenda 99", at, || {
                    "read by their change codes".to_owned()
                });
                AddendaContent::of_correction(record, batch.class).ok_or_else(blank_code)
            }
            Some(AddendaType::Return) => {
                AddendaContent::of_return(record, batch.class, reference).ok_or_else(blank_code)
            }
            Some(AddendaType::Correction) => {
                AddendaContent::of_correction(record, batch.class).ok_or_else(blank_code)
            }
        };
        match content {
            Ok(content) => self.explained(at, content, batch, report),
            Err(rejected) => {
                self.reject(rejected, report);
                Ok(())
            }
        }
    }

    /// Yields the entry that an addenda makes of the pending detail. The first one has the place
    /// of its detail, each further one that of its own line.
    fn explained(
        &mut self,
        addenda_at: FilePosition,
        content: AddendaContent,
        batch: &OpenBatch,
        report: &mut Report,
    ) -> Result<(), FileRejected> {
        let Some(PendingEntry {
            detail,
            explanations,
            ..
        }) = &self.pending
        else {
            return Ok(());
        };
        let at = if *explanations > 1 {
            addenda_at
        } else {
            detail.at
        };
        report.note_unreadable_dates(&content.unreadable_dates, addenda_at);
        if content.has_completed_routing {
            report.note("completed routing numbers", addenda_at, || {
                "eight digits got the check digit or the zero that they lack".to_owned()
            });
        }
        if let Some(field) = content.unreadable_amount {
            let what = || format!("{field} is not a valid number");
            report.note("unreadable original amounts", addenda_at, what);
        }
        if detail.direction == Direction::Unknown {
            report.note("unknown transaction codes", detail.at, || {
                let code = detail.transaction_code();
                format!("{code:?} says neither debit nor credit")
            });
        }
        let entry = detail.entry(at, batch, content);
        if let EntryKind::Correction { corrected, .. } = &entry.kind {
            if corrected.is_empty() {
                let what = || "the corrected data is blank".to_owned();
                report.note("corrections without data", addenda_at, what);
            }
            if entry.kind.has_unreadable_data() {
                let what = || "the entry is held".to_owned();
                report.note("corrected data that cannot be read", addenda_at, what);
            }
            if detail.amount_minor != Some(0) {
                let what = || "read as zero: a correction moves no money".to_owned();
                report.note("corrections with an amount", detail.at, what);
            }
        }
        report.summary.add(&entry)?;
        self.ready.push_back(Item::Entry(Box::new(entry)));
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected, report: &mut Report) {
        report.summary.rejected += 1;
        self.ready.push_back(Item::Rejected(rejected));
    }

    /// Ends the pending entry: no more addenda of it can come.
    pub(super) fn finish(&mut self, report: &mut Report) -> Result<(), FileRejected> {
        let awaits_addenda = self.await_addenda();
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        if pending.rejected || pending.explanations > 0 {
            return Ok(());
        }
        if let Some(entry) = pending.with_reject_code {
            report.summary.add(&entry)?;
            self.ready.push_back(Item::Entry(entry));
            return Ok(());
        }
        let detail = pending.detail;
        if awaits_addenda {
            let why = "no addenda follows, though the indicator does not say so (0), so the reason \
                       of the entry is unknown";
            let rejected = Rejected::new(detail.at, ADDENDA_INDICATOR, why, detail.amount());
            self.reject(rejected, report);
            return Ok(());
        }
        report.summary.left_out += 1;
        report.note("entries that are not returns", detail.at, || {
            "entries without an addenda 98 or 99 were left out".to_owned()
        });
        Ok(())
    }
}
