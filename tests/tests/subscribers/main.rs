//! For any sequence of files, a subscriber that applies the events in any order, with repeats,
//! ends with the same picture as `GetTransfer` in its version.
//!
//! Everything is real but the platforms: files are parsed and imported, both adapters apply them
//! to their databases, and what is applied here was posted to an endpoint of each style and
//! version. The platforms keep what docs/webhooks.md tells them to keep.
//!
//! PROPTEST_CASES says how many sequences are drawn; a failing one is shrunk and printed.
//! `crates/returns-webhooks/src/properties.rs` does the same on journals in memory.

mod draw;
mod endpoints;
mod files;
mod here;
mod platform;
mod running;
mod truth;

use std::collections::BTreeSet;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::Value;

use draw::{Case, Drawn, Entry, Kind, NOBODY, Order, Row, Stage, State, Step};
use endpoints::{ENDPOINTS, Endpoint};
use here::Here;
use platform::{Platform, Style};

/// How many sequences are drawn for each kind of gateway, unless PROPTEST_CASES says it.
const CASES: u32 = 20;
/// How often a failing sequence is tried with less in it.
const SHRINKS: u32 = 300;

/// What a platform ends with is what `GetTransfer` says, whatever the order. Gives the types of
/// the messages that each endpoint was sent.
async fn check(here: &Here, case: &Case) -> Result<Vec<BTreeSet<String>>, TestCaseError> {
    let outcome = here.run(case).await;
    let mut types = Vec::new();
    for endpoint in ENDPOINTS {
        let told = &outcome.told[endpoint.path];
        types.push(told.iter().map(|body| type_of(endpoint, body)).collect());
        for payment in &outcome.payments {
            let truth = endpoint.sight.picture(&here.world, &payment.id).await;
            if endpoint.is_old() && (says_returned(&truth) || told.iter().any(says_returned)) {
                let why = format!("a newer state: {truth:#} after {told:?}");
                return Err(TestCaseError::fail(why));
            }
            for order in orders(&case.order, told.len()) {
                let mut platform = Platform::new(endpoint.sight.style);
                for at in &order {
                    platform.hear(&told[*at]);
                }
                let truth = but_late_holds(&truth, &platform);
                let known = platform.picture(&payment.id, &payment.before[endpoint.path]);
                if known != truth {
                    return Err(TestCaseError::fail(format!(
                        "{} at {}, told in the order {order:?} of {}\n\
                         knows {known:#}\nbut GetTransfer says {truth:#}",
                        payment.id,
                        endpoint.path,
                        Value::from(told.clone())
                    )));
                }
            }
        }
    }
    Ok(types)
}

/// `GetTransfer` without the holds of which a platform knows, but not that they are about this
/// payment: a hold is told of once when it opens, and its transfer may be known only later.
fn but_late_holds(truth: &Value, platform: &Platform) -> Value {
    let told = platform.open_holds();
    let late: Vec<&str> = told
        .filter(|(_, transfers)| transfers.is_empty())
        .map(|(hold_id, _)| hold_id)
        .collect();
    let mut truth = truth.clone();
    if let Some(holds) = truth["open_holds"].as_array_mut() {
        holds.retain(|hold_id| !late.iter().any(|one| hold_id == *one));
    }
    truth
}

/// The order that was drawn, that in which things happened, and that one backwards.
fn orders(drawn: &Order, count: usize) -> [Vec<usize>; 3] {
    let happened: Vec<usize> = (0..count).collect();
    let backwards = happened.iter().rev().copied().collect();
    [drawn.of(count), happened, backwards]
}

/// Whether anything is RETURNED, which no version knew before that of 2024-10-16.
fn says_returned(value: &Value) -> bool {
    let text = value.to_string();
    text.contains("\"RETURNED\"") || text.contains(".returned\"")
}

fn type_of(endpoint: Endpoint, body: &Value) -> String {
    let part = |key: &str| body[key].as_str().expect("a text").to_owned();
    match endpoint.sight.style {
        Style::Finix => format!("{}.{}", part("entity"), part("type")),
        Style::Rainforest => part("event_type"),
    }
}

fn any_sequence_ends_with_the_picture_of_get_transfer(profile: &'static str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let here = runtime.block_on(Here::start(profile));
    let types = runtime.block_on(check(&here, &everything()));
    for (endpoint, types) in ENDPOINTS.iter().zip(types.expect("the picture")) {
        let types: Vec<&str> = types.iter().map(String::as_str).collect();
        assert_eq!(types, endpoint.types, "at {}", endpoint.path);
    }
    let said = std::env::var_os("PROPTEST_CASES").is_some();
    let drawn = Config::default();
    let config = Config {
        cases: if said { drawn.cases } else { CASES },
        max_shrink_iters: SHRINKS,
        failure_persistence: None,
        ..drawn
    };
    let outcome = TestRunner::new(config).run(&draw::any_case(), |case| {
        runtime.block_on(check(&here, &case)).map(|_| ())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("{why}\nwith a {profile} gateway: {case:?}"),
        Err(TestError::Abort(why)) => panic!("no sequences could be drawn: {why}"),
    }
}

#[test]
fn any_sequence_of_files_ends_with_the_picture_of_get_transfer_at_a_gateway_like_finix() {
    any_sequence_ends_with_the_picture_of_get_transfer("finix");
}

#[test]
fn any_sequence_of_files_ends_with_the_picture_of_get_transfer_at_a_gateway_like_rainforest() {
    any_sequence_ends_with_the_picture_of_get_transfer("rainforest");
}

/// A sequence in which everything happens that platforms are told of, so that the test cannot
/// come to be about nothing.
fn everything() -> Case {
    let payment = |kind, state, deposit| Drawn {
        kind,
        state,
        deposit,
        late: false,
        mirrored: true,
    };
    let entry = |payment, stage| Entry {
        payment,
        stage,
        wrong_amount: false,
    };
    let row = |payment, wrong_amount| Row {
        payment,
        code: "R01",
        case: 0,
        wrong_amount,
    };
    Case {
        payments: vec![
            payment(Kind::Debit, State::Pending, false),
            payment(Kind::Debit, State::Succeeded, true),
            payment(Kind::Debit, State::Pending, false),
            payment(Kind::Deposit, State::Succeeded, false),
            payment(Kind::Payout, State::Succeeded, false),
            payment(Kind::Refund, State::Succeeded, false),
        ],
        steps: vec![
            Step::Nacha(vec![
                entry(0, Stage::Return("R01")),
                entry(1, Stage::Return("R10")),
                entry(4, Stage::Return("R02")),
                entry(5, Stage::Return("R02")),
            ]),
            Step::Ready(vec![0]),
            Step::Nacha(vec![entry(1, Stage::Dishonor("R68"))]),
            Step::Nacha(vec![entry(1, Stage::Contest)]),
            Step::Corrections(vec![(1, "998877665544")]),
            Step::FundingRejects(vec![3]),
            Step::ValidationFailures(vec![2]),
            Step::Worldpay(vec![row(0, false), row(1, true), row(NOBODY, false)]),
        ],
        patient: false,
        order: Order::as_it_happened(),
    }
}
