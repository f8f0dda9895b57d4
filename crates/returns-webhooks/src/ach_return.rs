//! A return with its later stages, as platforms see it, and what the journal's rows about one
//! payment amount to.

use ach::entry::EntryKind;
use chrono::{DateTime, Utc};
use returns_model::journal::{MadeKind, NewTransfer, Row, RowEffect};
use serde::{Deserialize, Serialize};

use super::text;
use super::view::ReturnOutcome;

/// The longest texts, in bytes of JSON: a line of a bank's words, and a cell of its row.
const LONGEST_LINE: usize = 400;
const LONGEST_CELL: usize = 150;
/// The most lines of a payment or a transfer, and cells of a row.
const MOST_LINES: usize = 8;
const MOST_CELLS: usize = 24;
/// Cells that are ids, codes or public numbers, in reports whose columns are known. A long
/// number in any other cell is shown by its last digits.
pub(super) const PLAIN_CELLS: [&str; 10] = [
    "Funding Sub Merchant ID",
    "Funds Transfer Request ID",
    "Vantiv Payment ID",
    "Worldpay Payment ID",
    "Funds Transfer Amount",
    "Routing Number",
    "id",
    "litle_txn_id",
    "order_id",
    "report_group",
];

/// A return.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AchReturn {
    pub ach_return_id: String,
    pub return_code: String,
    /// What the code means, in words that may be shown to a platform's users.
    pub return_desc: String,
    /// Whether the bank suspects fraud.
    #[serde(default)]
    pub questionable: bool,
    /// Why it was dishonored, once it was.
    pub dishonor: Option<LaterStage>,
    /// Why the dishonor was contested, once it was.
    pub contest: Option<LaterStage>,
    /// The transfers that moved its money, in order.
    pub adjustments: Vec<Adjustment>,
}

/// How far a return has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StageReached {
    /// It stands.
    Created,
    /// It was dishonored: what it took was given back.
    Dishonored,
    /// The dishonor was contested: it was taken again.
    Contested,
}

impl AchReturn {
    /// How far the return has come.
    pub fn stage(&self) -> StageReached {
        match (&self.dishonor, &self.contest) {
            (_, Some(_)) => StageReached::Contested,
            (Some(_), None) => StageReached::Dishonored,
            (None, None) => StageReached::Created,
        }
    }

    fn of(row: &Row) -> Self {
        Self {
            ach_return_id: row.return_id.clone(),
            return_code: row.code().unwrap_or_default(),
            return_desc: text::of_bank(&row.description, LONGEST_LINE, &row.transfer.trace_id),
            questionable: row.entry.is_questionable(),
            ..Self::default()
        }
    }

    /// What a later stage says of a return that the journal does not have.
    pub(super) fn from_later_stage(row: &Row) -> Self {
        let code = match &row.entry.kind {
            EntryKind::Dishonored { return_code, .. }
            | EntryKind::Contested { return_code, .. } => return_code.as_ref(),
            EntryKind::Return { code, .. } => Some(code),
            EntryKind::Correction { .. }
            | EntryKind::RefusedCorrection { .. }
            | EntryKind::ValidationFailure { .. } => None,
        };
        let mut ach_return = Self {
            ach_return_id: row.effect.of_return().unwrap_or(&row.return_id).to_owned(),
            return_code: code.map(ToString::to_string).unwrap_or_default(),
            ..Self::default()
        };
        ach_return.take(row);
        ach_return
    }

    /// Adds what a row says of the return's later life.
    fn take(&mut self, row: &Row) {
        let stage = || LaterStage {
            id: row.return_id.clone(),
            code: row.code().unwrap_or_default(),
            desc: text::of_bank(&row.description, LONGEST_LINE, &row.transfer.trace_id),
        };
        match &row.effect {
            RowEffect::Restore { .. } => self.dishonor = Some(stage()),
            RowEffect::Reapply { .. } => self.contest = Some(stage()),
            RowEffect::Fail { .. }
            | RowEffect::Return { .. }
            | RowEffect::Reverse { .. }
            | RowEffect::Correct {}
            | RowEffect::ReleaseToSettlement { .. } => {}
        }
        for one in &mut self.adjustments {
            release(&row.effect, &one.transfer_id, &mut one.ready_to_settle_at);
        }
        let made = row.effect.made().map(|(kind, made)| Adjustment {
            transfer_id: made.id.clone(),
            kind,
            ready_to_settle_at: None,
        });
        self.adjustments.extend(made);
    }
}

/// A dishonor or a contest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaterStage {
    pub id: String,
    pub code: String,
    pub desc: String,
}

/// A transfer that moved a return's money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    pub transfer_id: String,
    pub kind: MadeKind,
    pub ready_to_settle_at: Option<DateTime<Utc>>,
}

/// A transfer that a row made, over the amount of the payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedTransfer {
    pub id: String,
    pub kind: MadeKind,
    pub trace_id: String,
    pub tags: Vec<(String, String)>,
    pub parent_id: String,
    pub created_at: DateTime<Utc>,
    pub ready_to_settle_at: Option<DateTime<Utc>>,
}

impl LinkedTransfer {
    /// What the row made, or released.
    pub(super) fn of(row: &Row, kind: MadeKind, made: &NewTransfer) -> Self {
        let tags = made.tags.iter().take(MOST_LINES).map(|(name, line)| {
            let line = text::of_bank(line, LONGEST_LINE, &row.transfer.trace_id);
            (text::cut(name, LONGEST_CELL), line)
        });
        let parent_id = made.parent_id.as_ref().unwrap_or(&row.transfer.id);
        let mut ready_to_settle_at = None;
        release(&row.effect, &made.id, &mut ready_to_settle_at);
        Self {
            id: made.id.clone(),
            kind,
            trace_id: made.trace_id.clone(),
            tags: tags.collect(),
            parent_id: parent_id.clone(),
            created_at: row.decided_at,
            ready_to_settle_at,
        }
    }
}

/// Notes when a transfer may join a settlement, if the row releases it.
fn release(effect: &RowEffect, transfer_id: &str, ready_at: &mut Option<DateTime<Utc>>) {
    if let RowEffect::ReleaseToSettlement {
        made,
        ready_to_settle_at,
        ..
    } = effect
        && made.id == transfer_id
    {
        *ready_at = Some(*ready_to_settle_at);
    }
}

/// What rows about one payment, in order, amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    pub outcome: Option<ReturnOutcome>,
    /// The transfers that they made.
    pub made: Vec<LinkedTransfer>,
}

impl History {
    /// Of rows that took effect, without superseded ones and repeats.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut history = Self::default();
        for row in rows {
            history.take(row);
        }
        history
    }

    fn take(&mut self, row: &Row) {
        if let Some(outcome) = first_outcome(row) {
            self.outcome = Some(outcome);
        }
        let made = row.effect.made();
        self.made
            .extend(made.map(|(kind, made)| LinkedTransfer::of(row, kind, made)));
        for made in &mut self.made {
            release(&row.effect, &made.id, &mut made.ready_to_settle_at);
        }
        let outcome = self.outcome.as_mut();
        if let Some(ach_return) = outcome.and_then(ReturnOutcome::ach_return_mut) {
            ach_return.take(row);
        }
    }
}

/// What a first failure or return comes to; `None` for a row that says something else.
fn first_outcome(row: &Row) -> Option<ReturnOutcome> {
    let returned = !matches!(row.entry.kind, EntryKind::ValidationFailure { .. });
    match &row.effect {
        RowEffect::Fail { messages } => Some(ReturnOutcome::Failed {
            messages: shown(row, messages),
            raw: raw(row),
            ach_return: returned.then(|| AchReturn::of(row)),
        }),
        RowEffect::Return { messages } => Some(ReturnOutcome::Returned {
            messages: shown(row, messages),
            raw: raw(row),
            ach_return: AchReturn::of(row),
        }),
        RowEffect::Reverse { .. } => Some(ReturnOutcome::Reversed {
            ach_return: AchReturn::of(row),
        }),
        RowEffect::Correct {}
        | RowEffect::Restore { .. }
        | RowEffect::Reapply { .. }
        | RowEffect::ReleaseToSettlement { .. } => None,
    }
}

fn shown(row: &Row, messages: &[String]) -> Vec<String> {
    messages
        .iter()
        .take(MOST_LINES)
        .map(|line| text::of_bank(line, LONGEST_LINE, &row.transfer.trace_id))
        .collect()
}

/// The acquirer's row, in the order of its columns.
fn raw(row: &Row) -> Vec<(String, String)> {
    row.entry
        .raw
        .iter()
        .take(MOST_CELLS)
        .map(|(name, cell)| {
            let cell = match PLAIN_CELLS.contains(&name.as_str()) {
                true => text::cut(cell, LONGEST_CELL),
                false => text::of_bank(cell, LONGEST_CELL, &row.transfer.trace_id),
            };
            (text::cut(name, LONGEST_CELL), cell)
        })
        .collect()
}
