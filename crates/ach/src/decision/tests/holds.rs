//! Every reason to hold, and that the sentence names the facts.

use super::*;
use crate::entry::Direction;

fn held(entry: &Entry, transfer: Transfer, policy: FundingPolicy) -> Hold {
    hold(decided(entry, transfer, policy))
}

#[test]
fn an_unknown_transfer_names_the_ids_that_were_looked_up() {
    let mut entry = returned("R01");
    entry.keys.payment_id = Some("8399".into());
    let policy = FundingPolicy::State;
    let hold = hold(decide(&entry, &Resolution::Unknown, &[], policy, today()));
    assert_eq!(hold.reason, HoldReason::UnknownTransfer);
    assert!(hold.detail.contains("payment id 8399"), "{}", hold.detail);
}

#[test]
fn an_ambiguous_transfer_names_all_of_them() {
    let found = Resolution::Ambiguous(vec!["TR1".into(), "TR2".into()]);
    let hold = hold(decide(
        &returned("R01"),
        &found,
        &[],
        FundingPolicy::State,
        today(),
    ));
    assert_eq!(hold.reason, HoldReason::AmbiguousTransfer);
    assert!(hold.detail.contains("TR1, TR2"), "{}", hold.detail);
}

#[test]
fn an_unreadable_transfer_is_held_with_what_cannot_be_read() {
    let found = Resolution::Unreadable {
        ids: vec!["TR1".into()],
        why: "its id is NULL".into(),
    };
    let policy = FundingPolicy::State;
    let hold = hold(decide(&returned("R01"), &found, &[], policy, today()));
    assert_eq!(hold.reason, HoldReason::UnreadableTransfer);
    assert!(hold.detail.contains("its id is NULL"), "{}", hold.detail);
}

#[test]
fn an_amount_or_a_currency_that_differs_names_both() {
    let dearer = Transfer {
        amount: Money::cents(5_001),
        ..debit()
    };
    let hold = held(&returned("R01"), dearer, FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::AmountDiffers);
    assert!(hold.detail.contains("USD 50.00") && hold.detail.contains("USD 50.01"));

    let foreign = Transfer {
        amount: Money::new(5_000, "CAD".parse().unwrap()),
        ..debit()
    };
    let hold = held(&returned("R01"), foreign, FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::CurrencyDiffers);
    assert!(hold.detail.contains("CAD 50.00"));
}

#[test]
fn a_returned_prenote_is_of_no_payment_and_a_payment_that_it_names_is_held() {
    let zero = |entry: Entry| Entry {
        amount: Some(Money::cents(0)),
        ..entry
    };
    for entry in [
        zero(returned("R03")),
        zero(validation_failure("no account")),
    ] {
        let decision = decide(
            &entry,
            &Resolution::Unknown,
            &[],
            FundingPolicy::State,
            today(),
        );
        assert_eq!(decision, Decision::Prenote);
        let hold = held(&entry, debit(), FundingPolicy::State);
        assert_eq!(hold.reason, HoldReason::AmountDiffers);
    }
    // A correction has no amount of its own.
    let corrected = decided(
        &correction("C02", "061000052"),
        debit(),
        FundingPolicy::State,
    );
    assert_eq!(effect(corrected), Effect::Correct);
}

#[test]
fn a_transfer_that_is_over_already_is_a_conflict() {
    for kind in [
        TransferType::Debit,
        TransferType::Credit,
        TransferType::Refund,
    ] {
        for state in [
            TransferState::Failed,
            TransferState::Canceled,
            TransferState::Returned,
            TransferState::Unknown,
        ] {
            for policy in POLICIES {
                let transfer = Transfer {
                    kind,
                    state,
                    ..debit()
                };
                let hold = held(&returned("R03"), transfer, policy);
                assert_eq!(hold.reason, HoldReason::StateConflict);
                assert!(hold.detail.contains("TR1"), "{}", hold.detail);
                let says = format!("state {state}");
                assert!(hold.detail.contains(&says), "{}", hold.detail);
            }
        }
    }
}

#[test]
fn a_state_or_a_type_that_the_mapping_does_not_name_is_in_the_hold() {
    let state = Transfer {
        state: TransferState::Unknown,
        unnamed: "\"SETTLED\" is not in transfers.states".into(),
        ..debit()
    };
    let kind = Transfer {
        kind: TransferType::Other,
        ..state.clone()
    };
    for transfer in [state, kind] {
        let hold = held(&returned("R01"), transfer, FundingPolicy::State);
        let end = "; \"SETTLED\" is not in transfers.states";
        assert!(hold.detail.ends_with(end), "{}", hold.detail);
    }
}

#[test]
fn by_deposit_a_debit_without_the_fact_or_pending_in_a_deposit_is_a_conflict() {
    let unknown = Transfer {
        in_deposit: None,
        ..debit()
    };
    let contradictory = Transfer {
        state: TransferState::Pending,
        in_deposit: Some(true),
        ..debit()
    };
    for transfer in [unknown, contradictory] {
        let hold = held(&returned("R01"), transfer, FundingPolicy::Deposit);
        assert_eq!(hold.reason, HoldReason::StateConflict);
    }
}

#[test]
fn a_wrong_direction_says_both_ways() {
    let entry = Entry {
        direction: Direction::Debit,
        ..returned("R01")
    };
    for kind in [TransferType::Credit, TransferType::Refund] {
        let hold = held(&entry, Transfer { kind, ..debit() }, FundingPolicy::State);
        assert_eq!(hold.reason, HoldReason::WrongDirection);
        assert!(hold.detail.contains("returns a debit"), "{}", hold.detail);
    }
    let entry = Entry {
        direction: Direction::Credit,
        ..returned("R03")
    };
    let hold = held(&entry, debit(), FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::WrongDirection);
}

#[test]
fn a_refused_correction_is_for_a_person() {
    let kind = EntryKind::RefusedCorrection {
        code: coded("C61"),
        refused: None,
        corrected: Vec::new(),
    };
    let at = FilePosition { line: 2, byte: 0 };
    let hold = held(&Entry::new(at, kind), debit(), FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::RefusedCorrection);
    assert!(hold.detail.contains("C61"), "{}", hold.detail);
}

#[test]
fn an_unknown_code_is_held_even_when_its_transfer_is_unknown_too() {
    for code in ["R97", "X01", "2101", "R48"] {
        let entry = returned(code);
        for found in [Resolution::One(debit()), Resolution::Unknown] {
            let hold = hold(decide(&entry, &found, &[], FundingPolicy::State, today()));
            assert_eq!(hold.reason, HoldReason::UnknownCode);
            assert!(hold.detail.contains(code), "{}", hold.detail);
        }
    }
    let hold = held(&correction("C99", "1"), debit(), FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::UnknownCode);
}

#[test]
fn a_code_counts_from_the_day_it_is_in_force() {
    let decide_on = |date: &str| {
        decide(
            &returned("R90"),
            one(debit()),
            &[],
            FundingPolicy::State,
            day(date),
        )
    };
    assert_eq!(
        hold(decide_on("2028-03-16")).reason,
        HoldReason::UnknownCode
    );
    assert_eq!(effect(decide_on("2028-03-17")), Effect::Reverse);
}

#[test]
fn what_is_neither_debit_credit_nor_refund_cannot_be_returned() {
    let other = Transfer {
        kind: TransferType::Other,
        ..debit()
    };
    let hold = held(&returned("R01"), other, FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::UnsupportedType);
}

#[test]
fn a_validation_failure_of_anything_but_a_pending_debit_is_unexpected() {
    let credit = Transfer {
        kind: TransferType::Credit,
        state: TransferState::Pending,
        ..debit()
    };
    for transfer in [debit(), credit] {
        let hold = held(
            &validation_failure("Invalid"),
            transfer,
            FundingPolicy::State,
        );
        assert_eq!(hold.reason, HoldReason::UnexpectedValidationFailure);
        assert!(hold.detail.contains("TR1"), "{}", hold.detail);
    }
}

#[test]
fn a_correction_without_the_data_that_its_code_corrects_is_held() {
    let blank = |code: &str| Entry {
        kind: EntryKind::Correction {
            code: coded(code),
            corrected: Vec::new(),
        },
        ..correction("C02", "061000052")
    };
    let hold = held(&blank("C02"), debit(), FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::UnreadableCorrection);
    assert!(
        hold.detail.contains("data is missing; ask the bank"),
        "{}",
        hold.detail
    );
    // C13 corrects nothing.
    let (blank, of_ours) = (blank("C13"), Resolution::One(debit()));
    let nothing = decide(&blank, &of_ours, &[], FundingPolicy::State, today());
    assert!(!matches!(nothing, Decision::Hold(_)), "{nothing:?}");
}

#[test]
fn corrected_data_that_cannot_be_read_is_held_with_every_part_of_it() {
    let corrected = vec![
        Corrected::Unreadable(crate::entry::AccountTail::of("061000053").unwrap()),
        Corrected::TransactionCode("37".into()),
    ];
    let kind = EntryKind::Correction {
        code: coded("C07"),
        corrected,
    };
    let entry = Entry {
        kind,
        ..correction("C07", "061000052")
    };
    let hold = held(&entry, debit(), FundingPolicy::State);
    assert_eq!(hold.reason, HoldReason::UnreadableCorrection);
    assert!(
        hold.detail
            .contains("unreadable ***0053, transaction code 37"),
        "{}",
        hold.detail
    );
}
