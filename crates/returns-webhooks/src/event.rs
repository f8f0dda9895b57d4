//! What happened, in no platform's words yet: made once from a journal row or a hold, stored with
//! the event, and rendered into each platform's messages whenever they are sent.

use ach::correction_clock::correction_clock;
use ach::decision::HoldReason;
use ach::entry::EntryKind;
use chrono::{DateTime, NaiveDate, Utc};
use returns_model::hold::{HoldRecord, HoldState};
use returns_model::journal::{JournalRow, MadeKind, Relation, RowEffect, TransferFacts};
use serde::{Deserialize, Serialize};

use super::ach_return::{AchReturn, History, LinkedTransfer};
use super::text;
use super::view::ReturnOutcome;

/// The version of bodies and of this layout.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The longest sentence, in bytes of JSON.
const LONGEST_SENTENCE: usize = 600;
/// The most transfers of a hold, and pieces of a correction.
const MOST: usize = 10;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEvent {
    pub schema_version: u32,
    /// The version of each object that it is about: of two events about one object, the one with
    /// the higher version is the newer. For a row it is the position.
    pub version: u64,
    pub what: EventKind,
}

/// What happened, with just its own data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum EventKind {
    /// A payment failed, or was returned before it was funded.
    Ended {
        payment: TransferFacts,
        outcome: ReturnOutcome,
    },
    /// The money of a return moved, or may join a settlement.
    Moved {
        step: MoneyStep,
        payment: TransferFacts,
        ach_return: AchReturn,
        made: LinkedTransfer,
    },
    /// The payment stands, its data must change.
    Corrected {
        payment: TransferFacts,
        correction: Correction,
    },
    /// An entry waits for a person, or for its transfer to appear.
    HoldOpened { hold: Held },
    /// It waits no more.
    HoldClosed { hold: Held, state: String },
}

/// How the money of a return moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyStep {
    /// A funded payment was returned; the new transfer takes its money back.
    Reversed,
    /// The return was dishonored; the new transfer gives back what it took.
    Restored,
    /// The dishonor was contested; the new transfer takes it again.
    Reapplied,
    /// What one of the above made may join a settlement.
    Settling,
}

/// A notification of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub id: String,
    pub code: String,
    pub desc: String,
    /// Which data, and what it must be.
    pub corrected: Vec<(String, String)>,
    /// By when something must happen about it; none where it is not known when it settled.
    #[serde(default)]
    pub clock: Option<Clock>,
}

/// The last days of a notification of change, see [`ach::correction_clock`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub told_by: NaiveDate,
    pub changed_by: NaiveDate,
    pub refused_by: NaiveDate,
}

/// An entry that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub id: String,
    pub reason: HoldReason,
    /// `return`, `correction` and so on.
    pub entry: String,
    pub code: Option<String>,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub transfer_ids: Vec<String>,
    pub source: String,
    pub import_id: String,
    pub line: u64,
    pub held_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl WebhookEvent {
    /// The event of a row that took effect; `before` are the rows of the same transfer that stand
    /// before it, in order. `None` for what platforms need not know: a row that repeats another for
    /// one database.
    pub fn of_row(found: &JournalRow, before: &[JournalRow]) -> Option<Self> {
        let row = &found.row;
        if matches!(row.relation, Some(Relation::Repeats { .. })) {
            return None;
        }
        let earlier = before
            .iter()
            .filter(|one| one.position < found.position)
            .map(|one| &one.row);
        let history = History::of(earlier.chain([row]));
        let payment = row.transfer.clone();
        let linked = |kind, made| LinkedTransfer::of(row, kind, made);
        let (step, made) = match &row.effect {
            RowEffect::Fail { .. } | RowEffect::Return { .. } => {
                let outcome = history.outcome?;
                return Some(Self::of_position(
                    found,
                    EventKind::Ended { payment, outcome },
                ));
            }
            RowEffect::Correct {} => {
                let correction = correction(found);
                let what = EventKind::Corrected {
                    payment,
                    correction,
                };
                return Some(Self::of_position(found, what));
            }
            RowEffect::Reverse { reversal } => {
                (MoneyStep::Reversed, linked(MadeKind::Reversal, reversal))
            }
            RowEffect::Restore { restoration, .. } => {
                let made = linked(MadeKind::Restoration, restoration);
                (MoneyStep::Restored, made)
            }
            RowEffect::Reapply { reversal, .. } => {
                (MoneyStep::Reapplied, linked(MadeKind::Reversal, reversal))
            }
            RowEffect::ReleaseToSettlement { kind, made, .. } => {
                let known = history.made.iter().find(|known| known.id == made.id);
                let made = known.cloned().unwrap_or_else(|| linked(*kind, made));
                (MoneyStep::Settling, made)
            }
        };
        let what = EventKind::Moved {
            step,
            payment,
            ach_return: ach_return(&history, found),
            made,
        };
        Some(Self::of_position(found, what))
    }

    fn of_position(found: &JournalRow, what: EventKind) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            version: found.position,
            what,
        }
    }

    /// The event of a hold, as it is.
    pub fn of_hold(record: &HoldRecord) -> Self {
        let new = &record.new;
        let (entry, code) = (&new.entry, new.entry.kind.code());
        let hold = Held {
            id: new.hold_id.clone(),
            reason: new.reason,
            entry: entry.kind.as_str().to_owned(),
            code: code.map(|(code, _)| text::of_bank(&code, LONGEST_SENTENCE, "")),
            amount_minor: entry.amount.map(|amount| amount.minor()),
            currency: entry.amount.map(|amount| amount.currency().to_string()),
            transfer_ids: new.transfer_ids.iter().take(MOST).cloned().collect(),
            source: new.source.clone(),
            import_id: new.import_id.clone(),
            line: entry.at.line,
            held_at: record.held_at,
            closed_at: record.closed_at,
        };
        let (version, what) = match record.state {
            HoldState::Open => (1, EventKind::HoldOpened { hold }),
            HoldState::Resolved | HoldState::Duplicate | HoldState::Dismissed => {
                let state = record.state.as_str().to_owned();
                (2, EventKind::HoldClosed { hold, state })
            }
        };
        Self {
            schema_version: SCHEMA_VERSION,
            version,
            what,
        }
    }
}

/// The return that a row is about, with all its stages up to there.
fn ach_return(history: &History, found: &JournalRow) -> AchReturn {
    history
        .outcome
        .as_ref()
        .and_then(ReturnOutcome::ach_return)
        .cloned()
        .unwrap_or_else(|| AchReturn::from_later_stage(&found.row))
}

fn correction(found: &JournalRow) -> Correction {
    let row = &found.row;
    let trace_id = &row.transfer.trace_id;
    let corrected = match &row.entry.kind {
        EntryKind::Correction { corrected, .. }
        | EntryKind::RefusedCorrection { corrected, .. } => corrected.as_slice(),
        EntryKind::Return { .. }
        | EntryKind::Dishonored { .. }
        | EntryKind::Contested { .. }
        | EntryKind::ValidationFailure { .. } => &[],
    };
    Correction {
        id: row.return_id.clone(),
        code: row.code().unwrap_or_default(),
        desc: text::of_bank(&row.description, LONGEST_SENTENCE, trace_id),
        corrected: corrected
            .iter()
            .take(MOST)
            .map(|one| (one.field().to_owned(), corrected_text(one)))
            .collect(),
        clock: row
            .entry
            .settlement_date
            .and_then(correction_clock)
            .map(|clock| Clock {
                told_by: clock.told_by,
                changed_by: clock.changed_by,
                refused_by: clock.refused_by,
            }),
    }
}

/// A piece of corrected data. Routing numbers are public and account numbers are last digits
/// by now; a number in any other place may be an account number that the bank put there by
/// mistake, and so may one in the place of a routing number that cannot be one.
fn corrected_text(one: &ach::entry::Corrected) -> String {
    use ach::entry::Corrected;
    const LONGEST: usize = 150;
    match one {
        Corrected::Account(tail) | Corrected::Unreadable(tail) => tail.to_string(),
        Corrected::Routing(text) if is_routing_number(text) => text.clone(),
        Corrected::Routing(text)
        | Corrected::TransactionCode(text)
        | Corrected::Name(text)
        | Corrected::IndividualId(text)
        | Corrected::ForeignBank(text)
        | Corrected::CompanyName(text)
        | Corrected::CompanyId(text)
        | Corrected::Text(text) => text::of_bank(text, LONGEST, ""),
    }
}

/// Whether a text has nine digits, the first two of a range that is in use, and the check digit of
/// a routing number: 3, 7 and 1 times each digit in turn add up to a multiple of ten (ABA).
fn is_routing_number(text: &str) -> bool {
    const WEIGHTS: [u32; 9] = [3, 7, 1, 3, 7, 1, 3, 7, 1];
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(10)).collect();
    let Some([first, second, ..]) = digits.as_deref() else {
        return false;
    };
    let is_used = matches!(first * 10 + second, 0..=12 | 21..=32 | 61..=72 | 80);
    let digits = digits.unwrap_or_default();
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits.len() == WEIGHTS.len() && is_used && sum.is_multiple_of(10) && sum > 0
}

#[cfg(test)]
mod tests {
    use ach::entry::Corrected;

    use super::corrected_text;

    #[test]
    fn a_number_in_the_place_of_a_routing_number_is_shown_only_when_it_can_be_one() {
        for (number, shown) in [
            ("021000021", "021000021"),
            ("322271627", "322271627"),
            ("021000022", "***0022"),
            ("123456789", "***6789"),
            ("021000023", "***0023"),
            ("991000021", "***0021"),
            ("000000000", "***0000"),
            ("12345678", "***5678"),
            ("02100002", "***0002"),
        ] {
            assert_eq!(
                corrected_text(&Corrected::Routing(number.to_owned())),
                shown,
                "{number}"
            );
        }
    }
}
