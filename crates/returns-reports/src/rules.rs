//! What the code table and the calendar say of an entry.

use ach::advice::{Attempts, Payment, advice};
use ach::code::ReturnCodeInfo;
use ach::deadline::return_deadline;
use ach::entry::Entry;
use chrono::NaiveDate;
use returns_model::journal::Row;

/// When the original settled.
pub(super) fn original_date(entry: Option<&Entry>, row: Option<&Row>) -> Option<NaiveDate> {
    let recorded = row.and_then(|row| row.transfer.settled_on);
    entry.map_or(recorded, |entry| entry.original_settled_on(recorded))
}

/// What the code table and the calendar say; empty where they say nothing.
#[derive(Default)]
pub(super) struct CodeRules {
    pub(super) category: &'static str,
    pub(super) initiated_by: &'static str,
    pub(super) deadline: Option<NaiveDate>,
    pub(super) late: &'static str,
    pub(super) representable: &'static str,
    /// How often the payment was presented; with a `+` when it may have been more often.
    pub(super) attempts_used: String,
    /// The last day for a fee for the return, where one may be charged.
    pub(super) fee_until: Option<NaiveDate>,
    /// `Y` where the bank suspects fraud.
    pub(super) questionable: &'static str,
    pub(super) recommended_action: &'static str,
    pub(super) account_effect: &'static str,
}

impl CodeRules {
    pub(super) fn of(entry: Option<&Entry>, row: Option<&Row>) -> Self {
        let Some(entry) = entry else {
            return Self::default();
        };
        let info = entry.code_info();
        info.map_or_else(Self::default, |info| Self::of_code(info, entry, row))
    }

    fn of_code(info: &'static ReturnCodeInfo, entry: &Entry, row: Option<&Row>) -> Self {
        let original = original_date(Some(entry), row);
        let deadline = original.and_then(|original| return_deadline(info, original));
        let settled = entry.own_date();
        let late = match (deadline, settled) {
            (Some(deadline), Some(settled)) if deadline.is_past(settled) => "Y",
            (Some(_), Some(_)) => "N",
            (None, _) | (_, None) => "",
        };
        let advice = row.and_then(|row| {
            let payment = Payment {
                kind: row.transfer.kind,
                original_settlement: original,
                return_settlement: settled,
                is_conforming: row.is_conforming,
            };
            advice(entry, payment)
        });
        Self {
            category: info.rate_category.as_str(),
            initiated_by: info.initiated_by.as_str(),
            deadline: deadline.map(|deadline| deadline.available_by),
            late,
            attempts_used: advice
                .and_then(|advice| advice.attempts)
                .map(attempts_used)
                .unwrap_or_default(),
            fee_until: advice
                .and_then(|advice| advice.fee)
                .and_then(|fee| fee.until),
            questionable: if entry.is_questionable() { "Y" } else { "" },
            representable: info.representment.as_str(),
            recommended_action: info.recommended_action.as_str(),
            account_effect: info.account_effect.as_str(),
        }
    }
}

fn attempts_used(attempts: Attempts) -> String {
    let or_more = if attempts.at_least { "+" } else { "" };
    format!("{}{or_more}", attempts.used)
}
