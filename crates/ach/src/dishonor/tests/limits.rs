//! What can be dishonored at all, and until when.

use proptest::prelude::*;

use super::*;
use crate::calendar::{banking_days_between, is_banking_day};

/// An entry with every ground there is.
fn wrong_in_everything(code: ReturnCode) -> Entry {
    let mut entry = returned(code);
    entry.odfi = Some("12100035".into());
    entry.amount = Some(Money::cents(1));
    entry.settlement_date = Some(day("2027-11-19"));
    entry
}

#[test]
fn what_cannot_be_dishonored_has_no_ground_however_wrong_it_is() {
    let found = |entry: &Entry| {
        codes(&dishonorable(
            entry,
            Some(&debit()),
            Originator::default(),
            Some(&prior()),
        ))
    };
    assert_eq!(found(&wrong_in_everything(ReturnCode::R01)).len(), 4);
    let mut iat = wrong_in_everything(ReturnCode::R01);
    iat.sec = Some("IAT".into());
    assert_eq!(found(&iat), [""; 0]);
    let dishonored = EntryKind::Dishonored {
        code: Coded::Known(ReturnCode::R68),
        return_code: None,
        return_settled_on: None,
    };
    let contested = EntryKind::Contested {
        code: Coded::Known(ReturnCode::R73),
        return_code: None,
        dishonor_code: None,
        dishonor_trace: None,
        return_settled_on: None,
    };
    let unknown = EntryKind::Return {
        code: Coded::Unknown("R97".into()),
        date_of_death: None,
    };
    let failure = EntryKind::ValidationFailure { code: None };
    let correction = EntryKind::Correction {
        code: Coded::Unknown("C01".into()),
        corrected: Vec::new(),
    };
    for kind in [dishonored, contested, unknown, failure, correction] {
        let entry = Entry {
            kind,
            ..wrong_in_everything(ReturnCode::R01)
        };
        assert_eq!(found(&entry), [""; 0], "{:?}", entry.kind);
    }
}

#[test]
fn only_what_the_customers_bank_returned_can_be_dishonored() {
    for code in ReturnCode::ALL {
        let entry = wrong_in_everything(*code);
        let found = dishonorable(&entry, Some(&debit()), Originator::default(), None);
        let from_bank = code.info().stage == ReturnStage::Return
            && matches!(
                code.info().initiated_by,
                Initiator::Rdfi | Initiator::RdfiOrGateway
            );
        assert_eq!(!found.is_empty(), from_bank, "{code}");
    }
    for code in [ReturnCode::R13, ReturnCode::R40, ReturnCode::R80] {
        let entry = wrong_in_everything(code);
        assert_eq!(
            dishonorable(&entry, Some(&debit()), Originator::default(), None),
            []
        );
    }
}

#[test]
fn the_days_are_counted_from_the_earliest_day_that_the_return_can_have_settled() {
    let counted = |settled: &str, issued: &str, received: &str| {
        let mut entry = wrong_in_everything(ReturnCode::R01);
        let date = |text: &str| (!text.is_empty()).then(|| day(text));
        entry.settlement_date = date(settled);
        entry.issued_on = date(issued);
        entry.received_on = date(received);
        let found = dishonorable(&entry, Some(&debit()), Originator::default(), None);
        found.first().map(|ground| ground.last_day.to_string())
    };
    let last = |text: &str| Some(text.to_owned());
    assert_eq!(
        counted("2026-11-17", "2026-11-13", "2026-11-18"),
        last("2026-11-24")
    );
    assert_eq!(counted("", "2026-11-16", "2026-11-17"), last("2026-11-23"));
    assert_eq!(counted("", "", "2026-11-17"), last("2026-11-24"));
    assert_eq!(counted("", "2026-12-23", ""), last("2026-12-31"));
    assert_eq!(counted("2026-12-24", "", ""), last("2027-01-04"));
    assert_eq!(counted("", "", ""), None, "nobody could say until when");
}

proptest! {
    #[test]
    fn the_last_day_is_exactly_five_banking_days_after_the_return_settled(
        // 1978-01-01 to the year 2300.
        settled in 722_085..839_800_i32,
        index in 0..ReturnCode::ALL.len(),
    ) {
        let settled = NaiveDate::from_num_days_from_ce_opt(settled).unwrap();
        let mut entry = wrong_in_everything(ReturnCode::ALL[index]);
        entry.settlement_date = Some(settled);
        for ground in dishonorable(&entry, Some(&debit()), Originator::default(), Some(&prior())) {
            prop_assert!(is_banking_day(ground.last_day));
            prop_assert_eq!(banking_days_between(settled, ground.last_day), 5);
        }
    }
}
