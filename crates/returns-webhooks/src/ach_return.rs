//! A return with its later stages, as platforms are told of it, and what the journal's rows
//! about one payment amount to.

use ach::decision::Effect;
use ach::entry::EntryKind;
use chrono::{DateTime, Utc};
use returns_model::journal::{Reversal, Row};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AchReturn {
    pub ach_return_id: String,
    pub return_code: String,
    /// What the code means, in words that may be shown to a platform's users.
    pub return_desc: String,
    /// Why it was dishonored, once it was.
    pub dishonor: Option<LaterStage>,
    /// Why the dishonor was contested, once it was.
    pub contest: Option<LaterStage>,
    /// The transfers that moved its money, in order.
    pub adjustments: Vec<Adjustment>,
}

/// How far a return has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnStage {
    /// It stands.
    Created,
    /// It was dishonored: what it took was given back.
    Dishonored,
    /// The dishonor was contested: it was taken again.
    Contested,
}

impl ReturnStage {
    /// The word for bodies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Dishonored => "DISHONORED",
            Self::Contested => "CONTESTED",
        }
    }
}

impl AchReturn {
    pub fn stage(&self) -> ReturnStage {
        match (&self.dishonor, &self.contest) {
            (_, Some(_)) => ReturnStage::Contested,
            (Some(_), None) => ReturnStage::Dishonored,
            (None, None) => ReturnStage::Created,
        }
    }

    fn of(row: &Row) -> Self {
        Self {
            ach_return_id: row.return_id.clone(),
            return_code: row.code().unwrap_or_default(),
            return_desc: text::of_bank(&row.description, LONGEST_LINE, &row.transfer.trace_id),
            dishonor: None,
            contest: None,
            adjustments: Vec::new(),
        }
    }

    /// What a later stage says of a return that the journal does not have.
    pub(super) fn told_by(row: &Row) -> Self {
        let code = match &row.entry.kind {
            EntryKind::Dishonored { return_code, .. }
            | EntryKind::Contested { return_code, .. } => return_code.as_ref(),
            EntryKind::Return { code, .. } => Some(code),
            EntryKind::Correction { .. }
            | EntryKind::RefusedCorrection { .. }
            | EntryKind::ValidationFailure { .. } => None,
        };
        let mut told = Self {
            ach_return_id: row
                .of_return
                .clone()
                .unwrap_or_else(|| row.return_id.clone()),
            return_code: code.map(ToString::to_string).unwrap_or_default(),
            return_desc: String::new(),
            dishonor: None,
            contest: None,
            adjustments: Vec::new(),
        };
        told.take(row);
        told
    }

    /// Adds what a row says of the return's later life.
    fn take(&mut self, row: &Row) {
        let stage = || LaterStage {
            id: row.return_id.clone(),
            code: row.code().unwrap_or_default(),
            desc: text::of_bank(&row.description, LONGEST_LINE, &row.transfer.trace_id),
        };
        match row.effect {
            Effect::Restore => self.dishonor = Some(stage()),
            Effect::Reapply => self.contest = Some(stage()),
            Effect::ReleaseToSettlement => {
                for adjustment in &mut self.adjustments {
                    if let Some(ready) = &row.ready
                        && ready.transfer_id == adjustment.transfer_id
                    {
                        adjustment.ready_to_settle_at = Some(ready.ready_to_settle_at);
                    }
                }
            }
            Effect::Fail | Effect::Return | Effect::Reverse | Effect::Correct => {}
        }
        if row.effect != Effect::ReleaseToSettlement {
            self.adjustments
                .extend(LinkedTransfer::by(row).map(|made| Adjustment {
                    transfer_id: made.id,
                    kind: made.kind,
                    ready_to_settle_at: None,
                }));
        }
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
    pub kind: LinkedTransferKind,
    pub ready_to_settle_at: Option<DateTime<Utc>>,
}

/// What a transfer that a row made is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LinkedTransferKind {
    /// It takes the money of a return.
    Reversal,
    /// It gives it back.
    Restoration,
}

impl LinkedTransferKind {
    /// The word for bodies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reversal => "REVERSAL",
            Self::Restoration => "RESTORATION",
        }
    }
}

/// A transfer that a row made, over the amount of the payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedTransfer {
    pub id: String,
    pub kind: LinkedTransferKind,
    pub trace_id: String,
    pub tags: Vec<(String, String)>,
    pub parent_id: String,
    pub created_at: DateTime<Utc>,
    pub ready_to_settle_at: Option<DateTime<Utc>>,
}

impl LinkedTransfer {
    /// What the row made, or what became ready with it.
    pub(super) fn by(row: &Row) -> Option<Self> {
        let of = |made: &Reversal, kind| Self {
            id: made.id.clone(),
            kind,
            trace_id: made.trace_id.clone(),
            tags: made
                .tags
                .iter()
                .take(MOST_LINES)
                .map(|(name, line)| {
                    let line = text::of_bank(line, LONGEST_LINE, &row.transfer.trace_id);
                    (text::cut(name, LONGEST_CELL), line)
                })
                .collect(),
            parent_id: made
                .parent_id
                .clone()
                .unwrap_or_else(|| row.transfer.id.clone()),
            created_at: row.decided_at,
            ready_to_settle_at: row.ready.as_ref().map(|ready| ready.ready_to_settle_at),
        };
        let reversal = row
            .reversal
            .as_ref()
            .map(|made| of(made, LinkedTransferKind::Reversal));
        let restoration = row
            .restoration
            .as_ref()
            .map(|made| of(made, LinkedTransferKind::Restoration));
        reversal.or(restoration)
    }
}

/// What rows about one payment, in order, amount to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    pub verdict: Option<ReturnOutcome>,
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
        match row.effect {
            Effect::Fail | Effect::Return | Effect::Reverse => {
                self.verdict = Some(first_verdict(row));
            }
            Effect::Correct | Effect::Restore | Effect::Reapply | Effect::ReleaseToSettlement => {}
        }
        match row.effect {
            Effect::Reverse | Effect::Restore | Effect::Reapply => {
                self.made.extend(LinkedTransfer::by(row));
            }
            Effect::ReleaseToSettlement => {
                for made in &mut self.made {
                    if let Some(ready) = &row.ready
                        && ready.transfer_id == made.id
                    {
                        made.ready_to_settle_at = Some(ready.ready_to_settle_at);
                    }
                }
            }
            Effect::Fail | Effect::Return | Effect::Correct => {}
        }
        if row.effect != Effect::Correct
            && let Some(verdict) = &mut self.verdict
            && let Some(ach_return) = verdict.ach_return_mut()
        {
            ach_return.take(row);
        }
    }
}

fn first_verdict(row: &Row) -> ReturnOutcome {
    let returned = !matches!(row.entry.kind, EntryKind::ValidationFailure { .. });
    match row.effect {
        Effect::Fail => ReturnOutcome::Failed {
            messages: messages(row),
            raw: raw(row),
            ach_return: returned.then(|| AchReturn::of(row)),
        },
        Effect::Return => ReturnOutcome::Returned {
            messages: messages(row),
            raw: raw(row),
            ach_return: AchReturn::of(row),
        },
        Effect::Reverse
        | Effect::Correct
        | Effect::Restore
        | Effect::Reapply
        | Effect::ReleaseToSettlement => ReturnOutcome::Reversed {
            ach_return: AchReturn::of(row),
        },
    }
}

fn messages(row: &Row) -> Vec<String> {
    row.messages
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
            let plain = PLAIN_CELLS.contains(&name.as_str());
            let cell = if plain {
                text::cut(cell, LONGEST_CELL)
            } else {
                text::of_bank(cell, LONGEST_CELL, &row.transfer.trace_id)
            };
            (text::cut(name, LONGEST_CELL), cell)
        })
        .collect()
}
