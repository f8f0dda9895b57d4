//! Which transfer an entry is about.

use super::*;
use crate::entry::{Direction, EntryKeys};

fn rule(text: &str) -> MatchRule {
    text.parse().unwrap()
}

fn transfer(id: &str, amount_minor: i64) -> Transfer {
    Transfer {
        id: id.into(),
        amount: Money::cents(amount_minor),
        ..debit()
    }
}

#[test]
fn one_id_is_enough() {
    let found = [(rule("payment_id:payment_id"), vec![transfer("TR1", 5_000)])];
    assert_eq!(
        resolve(&returned("R01"), &found),
        Resolution::One(transfer("TR1", 5_000))
    );
    assert_eq!(resolve(&returned("R01"), &[]), Resolution::Unknown);
}

#[test]
fn ids_that_identify_must_all_agree() {
    let agreeing = [
        (rule("payment_id:payment_id"), vec![transfer("TR1", 5_000)]),
        (rule("order_id:trace_id"), vec![transfer("TR1", 5_000)]),
    ];
    assert!(matches!(
        resolve(&returned("R01"), &agreeing),
        Resolution::One(_)
    ));
    let disagreeing = [
        (rule("payment_id:payment_id"), vec![transfer("TR2", 5_000)]),
        (rule("order_id:trace_id"), vec![transfer("TR1", 5_000)]),
    ];
    let ids = vec!["TR1".to_owned(), "TR2".to_owned()];
    assert_eq!(
        resolve(&returned("R01"), &disagreeing),
        Resolution::Ambiguous(ids)
    );
}

#[test]
fn an_identifying_id_of_two_transfers_is_never_narrowed_by_amount() {
    let found = [(
        rule("payment_id:payment_id"),
        vec![transfer("TR1", 5_000), transfer("TR2", 1)],
    )];
    assert!(matches!(
        resolve(&returned("R01"), &found),
        Resolution::Ambiguous(_)
    ));
}

#[test]
fn a_trace_number_is_asked_only_when_no_id_finds_anything() {
    let found = [
        (
            rule("original_trace:ach_trace"),
            vec![transfer("TR9", 5_000)],
        ),
        (rule("payment_id:payment_id"), vec![transfer("TR1", 5_000)]),
    ];
    assert_eq!(
        resolve(&returned("R01"), &found),
        Resolution::One(transfer("TR1", 5_000))
    );
}

#[test]
fn of_several_transfers_with_one_trace_number_the_one_with_the_amount_is_meant() {
    let trace = rule("original_trace:ach_trace");
    let found = [(trace, vec![transfer("TR1", 1), transfer("TR2", 5_000)])];
    assert_eq!(
        resolve(&returned("R01"), &found),
        Resolution::One(transfer("TR2", 5_000))
    );
    for amounts in [[1, 2], [5_000, 5_000]] {
        let found = [(
            trace,
            vec![transfer("TR1", amounts[0]), transfer("TR2", amounts[1])],
        )];
        assert!(matches!(
            resolve(&returned("R01"), &found),
            Resolution::Ambiguous(_)
        ));
    }
    let alone = [(trace, vec![transfer("TR1", 1)])];
    assert!(
        matches!(resolve(&returned("R01"), &alone), Resolution::One(_)),
        "decide compares"
    );
}

fn contradicted(entry: &Entry, found: &[(MatchRule, Vec<Transfer>)]) -> String {
    match resolve(entry, found) {
        Resolution::Contradicted { transfer, why } => {
            assert!(why.contains(&transfer.id), "{why}");
            why
        }
        other => panic!("no contradiction: {other:?}"),
    }
}

#[test]
fn a_match_that_another_id_contradicts_is_held_with_both_values() {
    let ours = Transfer {
        ach_trace: Some("61000050000044".into()),
        ..transfer("TR1", 5_000)
    };
    let mut entry = returned("R01");
    entry.keys.original_trace = Some("071000300000045".into());
    for rule_text in ["individual_id:individual_id", "payment_id:payment_id"] {
        entry.keys.individual_id = Some("3318".into());
        let found = [(rule(rule_text), vec![ours.clone()])];
        let why = contradicted(&entry, &found);
        assert!(
            why.contains("071000300000045") && why.contains("61000050000044"),
            "{why}"
        );
        let resolution = resolve(&entry, &found);
        let held = hold(decide(
            &entry,
            &resolution,
            &[],
            FundingPolicy::State,
            today(),
        ));
        assert_eq!(held.reason, HoldReason::IdsContradict);
        assert!(held.detail.contains("071000300000045"), "{}", held.detail);
    }
    // The same number without its leading zero is no contradiction.
    entry.keys.original_trace = Some("061000050000044".into());
    let found = [(rule("individual_id:individual_id"), vec![ours])];
    assert!(matches!(resolve(&entry, &found), Resolution::One(_)));
}

#[test]
fn an_id_may_be_any_of_the_ids_that_the_rules_say() {
    let mut entry = returned("R01");
    entry.keys.order_id = Some("FNX1".into());
    entry.keys.payment_id = Some("8399".into());
    let found = |order: &str| {
        [
            (rule("order_id:transfer_id"), Vec::new()),
            (rule(order), Vec::new()),
            (rule("payment_id:payment_id"), vec![transfer("TR1", 5_000)]),
        ]
    };
    assert!(matches!(
        resolve(&entry, &found("order_id:trace_id")),
        Resolution::One(_)
    ));
    let why = contradicted(&entry, &found("order_id:transfer_id"));
    assert!(why.contains("order id is FNX1"), "{why}");
}

#[test]
fn two_weak_ids_that_name_two_transfers_contradict_each_other() {
    let mut entry = returned("R01");
    entry.keys.original_trace = Some("061000050000044".into());
    entry.keys.individual_id = Some("3318".into());
    let found = |individual: &str| {
        [
            (
                rule("original_trace:ach_trace"),
                vec![transfer("TR1", 5_000)],
            ),
            (
                rule("individual_id:individual_id"),
                vec![transfer(individual, 5_000)],
            ),
        ]
    };
    assert!(matches!(resolve(&entry, &found("TR1")), Resolution::One(_)));
    assert!(contradicted(&entry, &found("TR2")).contains("3318"));
}

#[test]
fn a_known_return_is_a_duplicate_also_when_its_ids_contradict() {
    let entry = returned("R01");
    let found = Resolution::Contradicted {
        transfer: debit(),
        why: "ids".into(),
    };
    let decision = decide(
        &entry,
        &found,
        &[prior(&entry)],
        FundingPolicy::State,
        today(),
    );
    assert!(matches!(decision, Decision::Duplicate { .. }));
}

/// Decides on `entry`, whose ids contradict, after a return that stands.
fn after(known: &Entry, entry: &Entry) -> Decision<'static> {
    let found = Resolution::Contradicted {
        transfer: debit(),
        why: "ids".into(),
    };
    let found = Box::leak(Box::new(found));
    decide(entry, found, &[prior(known)], FundingPolicy::State, today())
}

#[test]
fn a_return_of_another_payment_is_no_duplicate_of_a_return_whose_id_it_shares() {
    let mut known = returned("R01");
    known.keys.order_id = Some("FNX1".into());
    known.keys.original_trace = Some("231380100000017".into());
    type Change = fn(&mut Entry);
    let changes: [Change; 3] = [
        |entry| entry.keys.original_trace = Some("231380100000018".into()),
        |entry| entry.keys.individual_id = Some("another".into()),
        |entry| entry.amount = Some(Money::cents(7_700)),
    ];
    for change in changes {
        let mut entry = known.clone();
        change(&mut entry);
        let Decision::Hold(hold) = after(&known, &entry) else {
            panic!("{entry:?} is held");
        };
        assert_eq!(hold.reason, HoldReason::IdsContradict);
    }
    assert!(matches!(after(&known, &known), Decision::Duplicate { .. }));
    // Nor where nothing but the trace or the amount speaks against it.
    for change in [changes[0], changes[2]] {
        let mut entry = known.clone();
        change(&mut entry);
        let known = [prior(&known)];
        let decision = decide(&entry, one(debit()), &known, FundingPolicy::State, today());
        let Decision::Hold(hold) = decision else {
            panic!("{entry:?} is held");
        };
        assert_eq!(hold.reason, HoldReason::SecondReturn);
    }
}

#[test]
fn a_return_of_our_own_reversal_moves_no_money_also_where_it_would_fit_a_payment() {
    for direction in [Direction::Debit, Direction::Unknown] {
        let mut entry = returned("R01");
        entry.direction = direction;
        entry.entry_description = Some("REVERSAL".into());
        let decision = decide(&entry, one(debit()), &[], FundingPolicy::State, today());
        let Decision::Hold(hold) = decision else {
            panic!("{direction:?} is held");
        };
        assert_eq!(hold.reason, HoldReason::UnsupportedType);
        assert!(hold.detail.contains("R62"), "{}", hold.detail);
    }
}

#[test]
fn a_payment_id_that_no_rule_looks_up_contradicts_as_well() {
    let ours = Transfer {
        payment_id: Some("P2".into()),
        ..debit()
    };
    let mut entry = returned("R01");
    entry.keys.order_id = Some("FNX1".into());
    entry.keys.payment_id = Some("P1".into());
    let found = [(rule("order_id:trace_id"), vec![ours])];
    let Resolution::Contradicted { why, .. } = resolve(&entry, &found) else {
        panic!("P1 is not P2");
    };
    assert!(why.contains("P1") && why.contains("P2"), "{why}");
}

#[test]
fn a_rule_reads_and_prints_and_a_bad_one_says_what_there_is() {
    for text in [
        "order_id:trace_id",
        "original_trace:ach_trace",
        "individual_id:individual_id",
    ] {
        assert_eq!(rule(text).to_string(), text);
    }
    for bad in [
        "",
        "order_id",
        "order_id:",
        "nothing:trace_id",
        "order_id:nothing",
    ] {
        let message = bad.parse::<MatchRule>().unwrap_err().to_string();
        assert!(message.contains("transfer_request_id") && message.contains("ach_trace"));
    }
}

#[test]
fn a_payment_or_individual_id_that_the_transfer_has_otherwise_contradicts_the_match() {
    let ours = Transfer {
        payment_id: Some("P2".into()),
        individual_id: Some("2217".into()),
        ..transfer("TR1", 5_000)
    };
    let mut entry = returned("R01");
    entry.keys = EntryKeys {
        payment_id: Some("P1".into()),
        order_id: Some("O1".into()),
        ..EntryKeys::default()
    };
    // The second payment of a retried order, which is not loaded yet.
    let found = [
        (rule("payment_id:payment_id"), vec![]),
        (rule("order_id:trace_id"), vec![ours.clone()]),
    ];
    let why = contradicted(&entry, &found);
    assert!(why.contains("P1") && why.contains("P2"), "{why}");
    // A trace that has wrapped.
    entry.keys = EntryKeys {
        individual_id: Some("9999".into()),
        original_trace: Some("231380100000017".into()),
        ..EntryKeys::default()
    };
    let by_trace = (rule("original_trace:ach_trace"), vec![ours]);
    let looked_up = (rule("individual_id:individual_id"), vec![]);
    for found in [vec![looked_up, by_trace.clone()], vec![by_trace.clone()]] {
        let why = contradicted(&entry, &found);
        assert!(why.contains("9999") && why.contains("2217"), "{why}");
    }
    // What was sent as the individual id may be another id of ours.
    let as_trace = (rule("individual_id:trace_id"), by_trace.1.clone());
    let found = [as_trace, by_trace];
    assert!(matches!(resolve(&entry, &found), Resolution::One(_)));
}
