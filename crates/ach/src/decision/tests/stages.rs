//! Dishonored and contested returns: what each stage undoes, and what is held.

use super::*;
use proptest::prelude::*;

use crate::decision::Action;

const TRACE: &str = "091000010000001";

fn dishonored(code: &str, trace: Option<&str>) -> Entry {
    let kind = EntryKind::Dishonored {
        code: coded(code),
        return_code: None,
        return_settled_on: None,
    };
    with_trace(kind, trace)
}

fn contested(code: &str, dishonor: Option<&str>) -> Entry {
    let kind = EntryKind::Contested {
        code: coded(code),
        return_code: None,
        dishonor_code: dishonor.map(coded),
        dishonor_trace: None,
        return_settled_on: None,
    };
    with_trace(kind, Some(TRACE))
}

fn with_trace(kind: EntryKind, trace: Option<&str>) -> Entry {
    let mut entry = Entry {
        amount: Some(Money::cents(5_000)),
        ..Entry::new(FilePosition { line: 2, byte: 0 }, kind)
    };
    entry.keys.return_trace = trace.map(str::to_owned);
    entry
}

fn prior(id: &str, effect: Effect, entry: &Entry) -> PriorDecision {
    PriorDecision {
        return_id: id.into(),
        effect,
        ..super::prior(entry)
    }
}

/// A return that stands, with its trace.
fn stands(code: &str, effect: Effect) -> PriorDecision {
    let mut entry = returned(code);
    entry.keys.return_trace = Some(TRACE.into());
    prior("ret_1", effect, &entry)
}

fn dishonor_of(code: &str) -> PriorDecision {
    prior("ret_2", Effect::Restore, &dishonored(code, Some(TRACE)))
}

fn decide_on(entry: &Entry, transfer: Transfer, known: &[PriorDecision]) -> Decision<'static> {
    decide(entry, one(transfer), known, FundingPolicy::State, today())
}

fn act(decision: Decision<'_>) -> Act<'_> {
    match decision {
        Decision::Act(act) => act,
        other => panic!("no effect: {other:?}"),
    }
}

#[test]
fn a_dishonor_gives_back_what_the_return_took_and_names_the_state_it_left() {
    for (effect, state) in [
        (Effect::Reverse, TransferState::Succeeded),
        (Effect::Return, TransferState::Returned),
        (Effect::Fail, TransferState::Failed),
    ] {
        let known = [stands("R01", effect)];
        for code in ["R61", "R62", "R67", "R68", "R69"] {
            let act = act(decide_on(&dishonored(code, Some(TRACE)), debit(), &known));
            assert_eq!(act.expected.state, state);
            let restore = Action::Restore {
                return_id: "ret_1".into(),
                was_reversed: effect == Effect::Reverse,
            };
            assert_eq!(act.action, restore);
        }
    }
}

#[test]
fn a_dishonor_that_names_the_code_of_the_return_is_about_it_and_with_another_code_is_not() {
    let known = [stands("R01", Effect::Reverse)];
    let naming = |code: &str| {
        let kind = EntryKind::Dishonored {
            code: coded("R61"),
            return_code: Some(coded(code)),
            return_settled_on: None,
        };
        decide_on(&with_trace(kind, Some(TRACE)), debit(), &known)
    };
    act(naming("R01"));
    let held = hold(naming("R02"));
    assert!(held.detail.contains("R02"), "{}", held.detail);
}

#[test]
fn only_a_return_can_be_dishonored() {
    for effect in [Effect::Fail, Effect::Return, Effect::Reverse] {
        let known = [prior("ret_1", effect, &correction("C02", "091000019"))];
        hold(decide_on(&dishonored("R61", Some(TRACE)), debit(), &known));
    }
}

#[test]
fn a_contest_takes_it_again_and_undoes_the_dishonor() {
    let known = [stands("R10", Effect::Reverse), dishonor_of("R68")];
    for entry in [contested("R73", Some("R68")), contested("R72", None)] {
        let act = act(decide_on(&entry, debit(), &known));
        assert_eq!(act.expected.state, TransferState::Succeeded);
        let reapply = Action::Reapply {
            return_id: "ret_1".into(),
            dishonor_id: "ret_2".into(),
        };
        assert_eq!(act.action, reapply);
    }
}

#[test]
fn the_same_stage_again_is_a_duplicate_however_far_things_have_come() {
    let contest = contested("R73", Some("R68"));
    let known = [
        stands("R10", Effect::Reverse),
        dishonor_of("R68"),
        prior("ret_3", Effect::Reapply, &contest),
    ];
    let dishonor = dishonored("R68", Some(TRACE));
    for (entry, of) in [(&dishonor, "ret_2"), (&contest, "ret_3")] {
        let (transfer, of) = (&debit(), of.into());
        assert_eq!(
            decide_on(entry, debit(), &known),
            Decision::Duplicate { transfer, of }
        );
    }
}

#[test]
fn a_stage_without_the_one_before_is_held_and_says_so() {
    let returned = [stands("R10", Effect::Reverse)];
    let over = [
        stands("R10", Effect::Reverse),
        dishonor_of("R68"),
        prior("ret_3", Effect::Reapply, &contested("R73", None)),
    ];
    let failed = [prior("ret_1", Effect::Fail, &validation_failure("Invalid"))];
    let dishonor = dishonored("R69", Some(TRACE));
    let contest = contested("R72", None);
    for (entry, known, reason, says) in [
        (
            &dishonor,
            &[][..],
            HoldReason::DishonoredReturn,
            "no return",
        ),
        (
            &dishonor,
            &failed[..],
            HoldReason::DishonoredReturn,
            "no return",
        ),
        (
            &contest,
            &[][..],
            HoldReason::ContestedReturn,
            "no dishonor",
        ),
        (
            &contest,
            &returned[..],
            HoldReason::ContestedReturn,
            "no dishonor",
        ),
        (&dishonor, &over[..2], HoldReason::DishonoredReturn, "ret_2"),
        (
            &dishonor,
            &over[..],
            HoldReason::DishonoredReturn,
            "contested",
        ),
        (
            &contested("R71", None),
            &over[..],
            HoldReason::ContestedReturn,
            "already contested",
        ),
    ] {
        let hold = hold(decide_on(entry, debit(), known));
        assert_eq!(hold.reason, reason, "{}", hold.detail);
        assert!(hold.detail.contains(says), "{}", hold.detail);
    }
}

#[test]
fn a_stage_that_is_about_another_return_is_held() {
    let known = [stands("R10", Effect::Reverse)];
    let mut other_code = dishonored("R68", Some(TRACE));
    other_code.kind = EntryKind::Dishonored {
        code: coded("R68"),
        return_code: Some(coded("R01")),
        return_settled_on: None,
    };
    let other_trace = dishonored("R68", Some("091000010000009"));
    for (entry, says) in [(other_code, "R01"), (other_trace, "091000010000009")] {
        let hold = hold(decide_on(&entry, debit(), &known));
        assert_eq!(hold.reason, HoldReason::DishonoredReturn);
        assert!(hold.detail.contains(says), "{}", hold.detail);
    }
}

#[test]
fn a_dishonored_duplicate_must_say_which_of_the_two_returns_it_means() {
    let known = [stands("R10", Effect::Reverse)];
    let hold = hold(decide_on(&dishonored("R67", None), debit(), &known));
    assert_eq!(hold.reason, HoldReason::DishonoredReturn);
    assert!(hold.detail.contains("which of two"), "{}", hold.detail);
}

#[test]
fn a_dishonor_must_fit_the_return_and_a_contest_the_dishonor() {
    let permissible = decide_on(
        &dishonored("R70", Some(TRACE)),
        debit(),
        &[stands("R31", Effect::Reverse)],
    );
    assert_eq!(act(permissible).action.effect(), Effect::Restore);
    let not = decide_on(
        &dishonored("R70", Some(TRACE)),
        debit(),
        &[stands("R01", Effect::Reverse)],
    );
    assert!(hold(not).detail.contains("R06 or R31"));
    for (contest, dishonor, fits) in [
        ("R73", "R68", true),
        ("R74", "R69", true),
        ("R76", "R69", true),
        ("R75", "R67", true),
        ("R77", "R62", true),
        ("R71", "R61", true),
        ("R73", "R69", false),
        ("R74", "R68", false),
        ("R75", "R68", false),
        ("R77", "R67", false),
    ] {
        let known = [stands("R10", Effect::Reverse), dishonor_of(dishonor)];
        let decision = decide_on(&contested(contest, None), debit(), &known);
        assert_eq!(
            matches!(decision, Decision::Act(_)),
            fits,
            "{contest} to {dishonor}: {decision:?}"
        );
    }
    let known = [stands("R10", Effect::Reverse), dishonor_of("R68")];
    let other = hold(decide_on(&contested("R72", Some("R69")), debit(), &known));
    assert!(other.detail.contains("R69"), "{}", other.detail);
}

#[test]
fn an_international_return_cannot_be_dishonored() {
    let known = [stands("R10", Effect::Reverse)];
    let mut entry = dishonored("R68", Some(TRACE));
    entry.sec = Some("IAT".into());
    assert!(
        hold(decide_on(&entry, debit(), &known))
            .detail
            .contains("IAT")
    );
}

#[test]
fn a_stage_of_a_refund_or_over_another_amount_is_for_a_person() {
    let known = [stands("R10", Effect::Reverse)];
    let refund = Transfer {
        kind: TransferType::Refund,
        ..debit()
    };
    let entry = dishonored("R68", Some(TRACE));
    let held = hold(decide_on(&entry, refund, &known));
    assert_eq!(held.reason, HoldReason::UnsupportedType);
    assert!(held.detail.contains("is a refund"), "{}", held.detail);
    let dearer = Transfer {
        amount: Money::cents(5_001),
        ..debit()
    };
    assert_eq!(
        hold(decide_on(&entry, dearer, &known)).reason,
        HoldReason::AmountDiffers
    );
}

#[test]
fn a_retired_or_unknown_dishonor_code_is_held() {
    let known = [stands("R10", Effect::Reverse)];
    for code in ["R63", "R66", "R60"] {
        let hold = hold(decide_on(&dishonored(code, Some(TRACE)), debit(), &known));
        assert_eq!(hold.reason, HoldReason::UnknownCode);
    }
}

/// Any entry about the return with one of two traces.
fn any_entry() -> impl Strategy<Value = Entry> {
    let traces = proptest::sample::select(vec![TRACE, "091000010000009"]);
    let returns = proptest::sample::select(vec!["R01", "R06", "R10"]).prop_map(returned);
    let dishonors = proptest::sample::select(vec!["R61", "R67", "R68", "R69", "R70"])
        .prop_map(|code| dishonored(code, None));
    let contests = proptest::sample::select(vec!["R71", "R72", "R73", "R74", "R75", "R77"])
        .prop_map(|code| contested(code, None));
    (prop_oneof![returns, dishonors, contests], traces).prop_map(|(mut entry, trace)| {
        entry.keys.return_trace = Some(trace.to_owned());
        entry
    })
}

proptest! {
    /// What a merchant has lost is nothing or the payment, never twice the payment and never
    /// less than nothing; and each stage stands on the one before.
    #[test]
    fn any_sequence_of_stages_keeps_the_money_right(
        entries in proptest::collection::vec(any_entry(), 1..40),
        pending in any::<bool>(),
    ) {
        let state = if pending { TransferState::Pending } else { TransferState::Succeeded };
        let mut known: Vec<PriorDecision> = Vec::new();
        let mut taken = 0_i32;
        let mut stages = Vec::new();
        for entry in entries {
            let decision = decide_on(&entry, Transfer { state, ..debit() }, &known);
            let Decision::Act(act) = decision else { continue };
            let effect = act.action.effect();
            taken += match effect {
                Effect::Return | Effect::Reverse | Effect::Reapply => 1,
                Effect::Restore => -1,
                Effect::Fail | Effect::Correct => 0,
            };
            prop_assert!((0..=1).contains(&taken), "{taken} after {effect:?}");
            stages.push(effect);
            let id = format!("ret_{}", known.len() + 1);
            known.push(prior(&id, effect, &entry));
            let again = decide_on(&entry, Transfer { state, ..debit() }, &known);
            let transfer = &Transfer { state, ..debit() };
            prop_assert_eq!(again, Decision::Duplicate { transfer, of: id }, "the same entry again");
        }
        prop_assert!(stages.len() <= 3, "{stages:?}");
    }
}

#[test]
fn a_return_is_decided_again_though_its_dishonor_still_stands() {
    let left = [dishonor_of("R68")];
    let again = act(decide_on(&returned("R01"), debit(), &left));
    assert_eq!(again.action, Action::Reverse);
    // The dishonor came before the row that it would undo now, so it is decided again too.
    let [left] = left;
    let known = [left, stands("R01", Effect::Reverse)];
    let dishonor = act(decide_on(&dishonored("R69", Some(TRACE)), debit(), &known));
    let restore = Action::Restore {
        return_id: "ret_1".into(),
        was_reversed: true,
    };
    assert_eq!(dishonor.action, restore);
}
