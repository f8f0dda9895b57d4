//! What is known already, and what only looks like it.

use super::*;

fn again(entry: &Entry, known: &Entry) -> Decision<'static> {
    decide(
        entry,
        one(debit()),
        &[prior(known)],
        FundingPolicy::State,
        today(),
    )
}

fn with_ids(trace: Option<&str>, case: Option<&str>) -> Entry {
    let mut entry = returned("R01");
    entry.keys.return_trace = trace.map(str::to_owned);
    entry.keys.case_id = case.map(str::to_owned);
    entry
}

#[test]
fn the_same_return_again_is_a_duplicate_of_the_first() {
    let entry = with_ids(Some("091000010000001"), Some("700"));
    let transfer = &debit();
    let of = "ret_1".into();
    assert_eq!(again(&entry, &entry), Decision::Duplicate { transfer, of });
}

#[test]
fn a_return_that_two_reports_tell_with_different_kinds_of_ids_is_one_return() {
    let nacha = with_ids(Some("091000010000001"), None);
    let report = with_ids(None, Some("700"));
    assert!(matches!(again(&report, &nacha), Decision::Duplicate { .. }));
    assert!(matches!(again(&nacha, &report), Decision::Duplicate { .. }));
}

#[test]
fn a_duplicate_is_known_whatever_state_the_transfer_is_in_by_now() {
    for state in [
        TransferState::Returned,
        TransferState::Failed,
        TransferState::Pending,
    ] {
        let found = Resolution::One(Transfer { state, ..debit() });
        let entry = returned("R01");
        let decision = decide(
            &entry,
            &found,
            &[prior(&entry)],
            FundingPolicy::State,
            today(),
        );
        assert!(matches!(decision, Decision::Duplicate { .. }));
    }
}

#[test]
fn another_trace_case_or_code_is_a_second_return() {
    let first = with_ids(Some("091000010000001"), Some("700"));
    let mut other_code = first.clone();
    other_code.kind = returned("R10").kind;
    for second in [
        with_ids(Some("091000010000002"), Some("700")),
        with_ids(Some("091000010000001"), Some("701")),
        other_code,
    ] {
        let hold = hold(again(&second, &first));
        assert_eq!(hold.reason, HoldReason::SecondReturn);
        assert!(
            hold.detail.contains("ret_1") && hold.detail.contains("R67"),
            "{}",
            hold.detail
        );
    }
}

#[test]
fn a_correction_said_again_is_a_duplicate_and_other_data_is_another_correction() {
    let first = correction("C02", "021000021");
    assert!(matches!(again(&first, &first), Decision::Duplicate { .. }));
    assert_eq!(
        effect(again(&correction("C02", "091000019"), &first)),
        Effect::Correct
    );
}

#[test]
fn a_correction_neither_hinders_a_return_nor_is_hindered_by_one() {
    let (correction, returned) = (correction("C02", "021000021"), returned("R01"));
    assert_eq!(effect(again(&returned, &correction)), Effect::Reverse);
    assert_eq!(effect(again(&correction, &returned)), Effect::Correct);
}

#[test]
fn a_return_after_a_validation_failure_is_for_a_person() {
    let hold = hold(again(&returned("R01"), &validation_failure("Invalid")));
    assert_eq!(hold.reason, HoldReason::SecondReturn);
}
