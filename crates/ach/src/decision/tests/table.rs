//! Each row of the table.

use super::*;

#[test]
fn a_return_of_a_pending_debit_is_a_return() {
    for policy in POLICIES {
        let pending = Transfer {
            state: TransferState::Pending,
            ..debit()
        };
        assert_eq!(
            effect(decided(&returned("R01"), pending, policy)),
            Effect::Return
        );
    }
}

#[test]
fn by_state_a_debit_that_succeeded_is_funded_and_is_reversed() {
    for in_deposit in [None, Some(false), Some(true)] {
        let transfer = Transfer {
            in_deposit,
            ..debit()
        };
        let decision = decided(&returned("R01"), transfer, FundingPolicy::State);
        assert_eq!(effect(decision), Effect::Reverse);
    }
}

#[test]
fn by_deposit_only_a_debit_in_a_deposit_is_reversed() {
    let outside = decided(&returned("R01"), debit(), FundingPolicy::Deposit);
    assert_eq!(effect(outside), Effect::Return);
    let inside = Transfer {
        in_deposit: Some(true),
        ..debit()
    };
    let decision = decided(&returned("R01"), inside, FundingPolicy::Deposit);
    assert_eq!(effect(decision), Effect::Reverse);
}

#[test]
fn the_update_expects_just_the_facts_that_the_decision_rests_on() {
    let Decision::Act(act) = decided(&returned("R01"), debit(), FundingPolicy::State) else {
        panic!("an effect");
    };
    let succeeded = TransferState::Succeeded;
    assert_eq!(
        act.expected,
        Expected {
            state: succeeded,
            in_deposit: None
        }
    );
    let Decision::Act(act) = decided(&returned("R01"), debit(), FundingPolicy::Deposit) else {
        panic!("an effect");
    };
    assert_eq!(
        act.expected,
        Expected {
            state: succeeded,
            in_deposit: Some(false)
        }
    );
}

#[test]
fn a_returned_credit_fails_whether_it_is_pending_or_succeeded() {
    for policy in POLICIES {
        for state in [TransferState::Pending, TransferState::Succeeded] {
            let credit = Transfer {
                kind: TransferType::Credit,
                state,
                ..debit()
            };
            assert_eq!(
                effect(decided(&returned("R03"), credit, policy)),
                Effect::Fail
            );
        }
    }
}

#[test]
fn a_returned_refund_fails_and_is_flagged_since_the_customer_is_owed_money() {
    let refund = Transfer {
        kind: TransferType::Refund,
        ..debit()
    };
    let Decision::Act(act) = decided(&returned("R03"), refund, FundingPolicy::State) else {
        panic!("an effect");
    };
    assert_eq!(
        (act.action.effect(), act.flags),
        (Effect::Fail, vec![Flag::RefundCameBack])
    );
}

#[test]
fn a_validation_failure_of_a_pending_debit_fails_it() {
    for policy in POLICIES {
        let pending = Transfer {
            state: TransferState::Pending,
            ..debit()
        };
        let decision = decided(&validation_failure("Invalid"), pending, policy);
        assert_eq!(effect(decision), Effect::Fail);
    }
}

#[test]
fn a_correction_is_recorded_whatever_the_transfer_is() {
    for kind in [
        TransferType::Debit,
        TransferType::Credit,
        TransferType::Refund,
    ] {
        for state in [
            TransferState::Succeeded,
            TransferState::Failed,
            TransferState::Returned,
        ] {
            let transfer = Transfer {
                kind,
                state,
                ..debit()
            };
            let decision = decided(
                &correction("C02", "021000021"),
                transfer,
                FundingPolicy::State,
            );
            assert_eq!(effect(decision), Effect::Correct);
        }
    }
}

#[test]
fn a_code_meant_for_the_other_direction_is_applied_and_flagged() {
    let credit = Transfer {
        kind: TransferType::Credit,
        ..debit()
    };
    let Decision::Act(act) = decided(&returned("R01"), credit, FundingPolicy::State) else {
        panic!("an effect");
    };
    assert_eq!(
        (act.action.effect(), act.flags),
        (Effect::Fail, vec![Flag::CodeUnusualForDirection])
    );
    let Decision::Act(act) = decided(&returned("R01"), debit(), FundingPolicy::State) else {
        panic!("an effect");
    };
    assert!(act.flags.is_empty());
}

#[test]
fn an_entry_without_an_amount_is_not_compared() {
    let entry = Entry {
        amount: None,
        ..returned("R01")
    };
    assert_eq!(
        effect(decided(&entry, debit(), FundingPolicy::State)),
        Effect::Reverse
    );
}

#[test]
fn an_international_entry_is_compared_by_its_original_amount() {
    let entry = Entry {
        amount: Some(Money::cents(4_870)),
        original_amount: Some(Money::cents(5_000)),
        ..returned("R01")
    };
    assert_eq!(
        effect(decided(&entry, debit(), FundingPolicy::State)),
        Effect::Reverse
    );
}
