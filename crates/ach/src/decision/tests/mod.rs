//! Tests of the decision, in the words of the design's table.

mod duplicates;
mod holds;
mod matching;
mod stages;
mod table;
mod wording;

use chrono::NaiveDate;

use super::*;
use crate::entry::{Corrected, FilePosition};
use crate::money::Money;

pub(super) const POLICIES: [FundingPolicy; 2] = [FundingPolicy::State, FundingPolicy::Deposit];

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn today() -> NaiveDate {
    day("2026-11-20")
}

fn coded<T: std::str::FromStr>(code: &str) -> Coded<T> {
    code.to_owned().into()
}

/// A return of 50.00 whose direction the file does not say.
pub(super) fn returned(code: &str) -> Entry {
    let kind = EntryKind::Return {
        code: coded(code),
        date_of_death: None,
    };
    Entry {
        amount: Some(Money::cents(5_000)),
        ..Entry::new(FilePosition { line: 2, byte: 0 }, kind)
    }
}

pub(super) fn correction(code: &str, data: &str) -> Entry {
    let corrected = vec![Corrected::Routing(data.to_owned())];
    let kind = EntryKind::Correction {
        code: coded(code),
        corrected,
    };
    Entry {
        amount: Some(Money::cents(0)),
        ..Entry::new(FilePosition { line: 2, byte: 0 }, kind)
    }
}

pub(super) fn validation_failure(text: &str) -> Entry {
    let kind = EntryKind::ValidationFailure {
        code: Some("900".into()),
    };
    Entry {
        description: Some(text.to_owned()),
        amount: Some(Money::cents(5_000)),
        ..Entry::new(FilePosition { line: 2, byte: 0 }, kind)
    }
}

/// A debit of 50.00 that succeeded and is in no deposit.
pub(super) fn debit() -> Transfer {
    Transfer {
        id: "TR1".into(),
        kind: TransferType::Debit,
        state: TransferState::Succeeded,
        in_deposit: Some(false),
        amount: Money::cents(5_000),
        trace_id: "FNX1".into(),
        payment_id: None,
        ach_trace: None,
        individual_id: None,
        settled_on: None,
        parties: Parties::default(),
        unnamed: String::new(),
    }
}

pub(super) fn prior(entry: &Entry) -> PriorDecision {
    let effect = match entry.kind {
        EntryKind::Correction { .. } => Effect::Correct,
        EntryKind::ValidationFailure { .. } => Effect::Fail,
        EntryKind::Return { .. }
        | EntryKind::Dishonored { .. }
        | EntryKind::Contested { .. }
        | EntryKind::RefusedCorrection { .. } => Effect::Reverse,
    };
    PriorDecision::on(entry, "ret_1", effect)
}

/// A resolution that lives as long as what is decided on it.
pub(super) fn one(transfer: Transfer) -> &'static Resolution {
    Box::leak(Box::new(Resolution::One(transfer)))
}

pub(super) fn decided(
    entry: &Entry,
    transfer: Transfer,
    policy: FundingPolicy,
) -> Decision<'static> {
    decide(entry, one(transfer), &[], policy, today())
}

pub(super) fn effect(decision: Decision<'_>) -> Effect {
    match decision {
        Decision::Act(act) => act.action.effect(),
        other => panic!("no effect: {other:?}"),
    }
}

pub(super) fn hold(decision: Decision<'_>) -> Hold {
    match decision {
        Decision::Hold(hold) => hold,
        other => panic!("no hold: {other:?}"),
    }
}

#[test]
fn a_code_is_in_force_by_the_day_of_the_entry_whenever_it_is_read() {
    let mut entry = returned("R90");
    let decided = |entry: &Entry, today: &str| {
        decide(entry, one(debit()), &[], FundingPolicy::State, day(today))
    };
    entry.settlement_date = Some(day("2028-03-10"));
    let held = hold(decided(&entry, "2028-03-20"));
    assert_eq!(held.reason, HoldReason::UnknownCode);
    entry.settlement_date = Some(day("2028-03-17"));
    assert!(matches!(
        decided(&entry, "2028-03-20"),
        Decision::Act { .. }
    ));
    entry.settlement_date = None;
    assert_eq!(
        hold(decided(&entry, "2028-03-16")).reason,
        HoldReason::UnknownCode
    );
}
