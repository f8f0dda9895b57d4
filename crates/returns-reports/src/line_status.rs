//! What became of one entry: the decision that stands by now, and what it did in each
//! database.

use std::collections::HashMap;

use ach::decision::{Effect, Flag};
use ach::entry::Entry;
use ach::money::Money;
use returns_model::follower::RowException;
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::import::RejectedLine;
use returns_model::journal::JournalRow;
use returns_store::{DuplicateLine, PrenoteLine};

use super::line::ReportLine;
use super::outcome::{LineOutcome, Status};

/// What a person should know of a prenote that came back.
const PRENOTE: &str = "a prenote came back; no payment is affected, but do not debit this account \
     before its data is corrected";

/// What the store has of an entry.
#[derive(Clone, Copy)]
pub(super) enum EntryRecord<'a> {
    /// It was decided: at once, or when its hold was resolved.
    Row {
        row: &'a JournalRow,
        hold: Option<&'a HoldRecord>,
    },
    /// It was held, and no row came of it.
    Hold(&'a HoldRecord),
    Duplicate(&'a DuplicateLine),
    Rejected(&'a RejectedLine),
    Prenote(&'a PrenoteLine),
}

/// Everything that may have happened to a decision afterwards.
pub(super) struct EntryHistory<'a> {
    /// The databases, the system of record first.
    pub(super) databases: &'a [String],
    pub(super) row_holds: &'a HashMap<(String, u64), HoldRecord>,
    pub(super) successors: &'a HashMap<u64, JournalRow>,
    pub(super) exceptions: &'a HashMap<(String, u64), RowException>,
}

impl EntryHistory<'_> {
    /// What became of it; `None` for a row that decides nothing, which stands for no entry.
    pub(super) fn of(&self, found: EntryRecord<'_>) -> Option<ReportLine> {
        match found {
            EntryRecord::Row { row, hold } => self.decided(row, hold),
            EntryRecord::Hold(hold) => Some(self.held(hold)),
            EntryRecord::Duplicate(line) => Some(self.duplicate(line)),
            EntryRecord::Rejected(line) => Some(self.rejected(line)),
            EntryRecord::Prenote(PrenoteLine { entry, .. }) => Some(ReportLine {
                notes: vec![PRENOTE.to_owned()],
                ..self.undecided(entry.at.line, LineOutcome::Prenote, Some(entry))
            }),
        }
    }

    /// The line of an entry that reached no database.
    fn undecided(
        &self,
        line_number: u64,
        outcome: LineOutcome,
        entry: Option<&Entry>,
    ) -> ReportLine {
        ReportLine {
            line_number,
            amount_minor: entry.map(|entry| minor(entry.amount)),
            entry: entry.cloned(),
            row: None,
            transfer_id: String::new(),
            outcome,
            statuses: vec![Status::Skipped; self.databases.len()],
            mark: None,
            notes: Vec::new(),
        }
    }

    fn rejected(&self, line: &RejectedLine) -> ReportLine {
        let rejected = &line.rejected;
        let what = rejected.field.clone().unwrap_or_else(|| "line".to_owned());
        ReportLine {
            amount_minor: Some(rejected.amount_minor.unwrap_or_default()),
            notes: vec![rejected.why.clone()],
            ..self.undecided(rejected.at.line, LineOutcome::Rejected(what), None)
        }
    }

    fn duplicate(&self, line: &DuplicateLine) -> ReportLine {
        ReportLine {
            transfer_id: line.transfer_id.clone(),
            notes: vec![format!("known already as {}", line.of_return_id)],
            ..self.undecided(line.line, LineOutcome::Duplicate, line.entry.as_ref())
        }
    }

    fn held(&self, hold: &HoldRecord) -> ReportLine {
        let entry = &hold.new.entry;
        ReportLine {
            transfer_id: match hold.new.transfer_ids.as_slice() {
                [one] => one.clone(),
                _ => String::new(),
            },
            notes: hold_notes(hold),
            ..self.undecided(entry.at.line, of_hold(hold), Some(entry))
        }
    }

    fn decided(&self, first: &JournalRow, hold: Option<&HoldRecord>) -> Option<ReportLine> {
        let mut notes: Vec<String> = hold.map(hold_notes).unwrap_or_default();
        let mut row = first;
        while let Some(next) = self.successors.get(&row.position) {
            notes.push(format!(
                "journal row {} did not take effect{}; decided again by row {}",
                row.position,
                self.said(row.position),
                next.position
            ));
            row = next;
        }
        let effect = row.row.effect.decided()?;
        let outcome = self.outcome(row, effect, &mut notes);
        let statuses = self.statuses(row, effect, &mut notes);
        notes.extend(
            row.row
                .flags
                .iter()
                .map(|flag| flag_words(*flag).to_owned()),
        );
        Some(ReportLine {
            line_number: row.row.entry.at.line,
            entry: Some(row.row.entry.clone()),
            transfer_id: row.row.transfer.id.clone(),
            amount_minor: Some(minor(row.row.entry.amount)),
            row: Some(row.row.clone()),
            outcome,
            statuses,
            mark: None,
            notes,
        })
    }

    /// What the system of record said of a row, for a note.
    fn said(&self, position: u64) -> String {
        self.leading_exception(position)
            .map_or_else(String::new, |exception| {
                format!(" ({}: {})", exception.kind.as_str(), exception.message)
            })
    }

    fn leading_exception(&self, position: u64) -> Option<&RowException> {
        let leading = self.databases.first()?;
        self.exceptions.get(&(leading.clone(), position))
    }

    /// A row counts as what it does when the system of record took it; otherwise it waits, or
    /// was found to be known.
    fn outcome(&self, row: &JournalRow, effect: Effect, notes: &mut Vec<String>) -> LineOutcome {
        let Some(leading) = self.databases.first() else {
            return LineOutcome::Effect(effect);
        };
        if self.leading_exception(row.position).is_none() {
            return LineOutcome::Effect(effect);
        }
        match self.row_holds.get(&(leading.clone(), row.position)) {
            // Nothing was added for it: the same return stands by another row.
            None => LineOutcome::Duplicate,
            Some(hold) => {
                notes.extend(hold_notes(hold));
                of_hold(hold)
            }
        }
    }

    fn statuses(&self, row: &JournalRow, effect: Effect, notes: &mut Vec<String>) -> Vec<Status> {
        let mut statuses = Vec::with_capacity(self.databases.len());
        for (index, database) in self.databases.iter().enumerate() {
            let reached = index == 0 || self.leading_exception(row.position).is_none();
            let status = if reached {
                self.exception(database, row, index > 0, notes)
                    .unwrap_or_else(|| applied(effect))
            } else {
                Status::Skipped
            };
            statuses.push(status);
        }
        statuses
    }

    /// The exception that stands for a row in a database. A mirror may have taken it when it was
    /// said again.
    fn exception(
        &self,
        database: &str,
        row: &JournalRow,
        is_mirror: bool,
        notes: &mut Vec<String>,
    ) -> Option<Status> {
        let mut position = row.position;
        while let Some(exception) = self.exceptions.get(&(database.to_owned(), position)) {
            let hold = self.row_holds.get(&(database.to_owned(), position));
            let repeated = hold
                .filter(|hold| is_mirror && hold.state == HoldState::Resolved)
                .and_then(|hold| hold.resolved_position)
                .filter(|again| *again > position);
            let Some(again) = repeated else {
                notes.push(format!(
                    "{database}: {}: {}",
                    exception.kind.as_str(),
                    exception.message
                ));
                return Some(Status::Exception(exception.kind));
            };
            notes.push(format!("{database}: said again by journal row {again}"));
            position = again;
        }
        None
    }
}

/// The status of an effect that a database has taken.
const fn applied(effect: Effect) -> Status {
    match effect {
        Effect::Return | Effect::Reverse | Effect::Fail | Effect::Restore | Effect::Reapply => {
            Status::Applied
        }
        // A correction changes nothing in a database.
        Effect::Correct => Status::Skipped,
    }
}

/// What a hold comes to when no row came of it.
fn of_hold(hold: &HoldRecord) -> LineOutcome {
    match hold.state {
        // A resolved one has its row; without it, it still waits for all that is known.
        HoldState::Open | HoldState::Resolved => LineOutcome::Held(hold.new.reason),
        HoldState::Duplicate => LineOutcome::Duplicate,
        HoldState::Dismissed => LineOutcome::Dismissed(hold.new.reason),
    }
}

fn hold_notes(hold: &HoldRecord) -> Vec<String> {
    let closed = match hold.state {
        HoldState::Open => return vec![hold.new.detail.clone()],
        HoldState::Resolved => "resolved",
        HoldState::Duplicate => "found to be known",
        HoldState::Dismissed => "dismissed",
    };
    let by = hold.closed_by.as_deref().unwrap_or("nobody");
    let note = match hold.note.as_deref() {
        Some("") | None => String::new(),
        Some(note) => format!(": {note}"),
    };
    vec![format!(
        "was held ({}: {}), {closed} by {by}{note}",
        hold.new.reason, hold.new.detail
    )]
}

const fn flag_words(flag: Flag) -> &'static str {
    match flag {
        Flag::CodeUnusualForDirection => "the code is unusual for the direction of the payment",
        Flag::RefundCameBack => "a refund came back: the customer is still owed the money",
        Flag::Questionable => "the bank suspects fraud (R17, QUESTIONABLE)",
    }
}

fn minor(amount: Option<Money>) -> i64 {
    amount.map_or(0, Money::minor)
}
