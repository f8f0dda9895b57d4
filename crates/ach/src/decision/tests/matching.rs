//! Which transfer an entry is about.

use super::*;

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
