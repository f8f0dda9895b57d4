//! What callers read without polling or asking one by one: batches of transfers, the stream of
//! returns, one hold, and lists with filters.

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto;
use echeck_tests::{Payment, World, Worldpay};
use proto::transfer_result::Result as Found;
use proto::transfer_selector::Key;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

/// What the machine's clock shows: the stack has the same.
fn now() -> chrono::DateTime<chrono::Utc> {
    use echeck_service::clock::{Clock as _, SystemClock};
    SystemClock.now()
}

fn selector(key: Key) -> proto::TransferSelector {
    proto::TransferSelector { key: Some(key) }
}

fn ids<I: Into<String>>(ids: impl IntoIterator<Item = I>) -> Vec<proto::TransferSelector> {
    let key = |id: I| selector(Key::TransferId(id.into()));
    ids.into_iter().map(key).collect()
}

async fn batch(
    world: &World,
    selectors: Vec<proto::TransferSelector>,
) -> Result<Vec<proto::TransferResult>, Status> {
    let ask = proto::BatchGetTransfersRequest {
        selectors,
        ..Default::default()
    };
    let answer = world.client.clone().batch_get_transfers(ask).await?;
    Ok(answer.into_inner().results)
}

#[tokio::test]
async fn a_batch_answers_for_each_transfer_what_get_transfer_does() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    world.add(Payment::debit("TR2").state("PENDING")).await;
    world.add(Payment::debit("TR3")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R02");
    world.import("worldpay_returns", "r.csv", file).await;
    let mut asked = ids(["TR3", "none", "TR1", "TR2", "TR1"]);
    let trace = world.transfer("TR2").await.trace_id;
    asked.push(selector(Key::TraceId(trace)));
    let results = batch(&world, asked).await.unwrap();
    let found = |at: usize| match &results[at].result {
        Some(Found::Transfer(transfer)) => transfer.clone(),
        other => panic!("{other:?}"),
    };
    for (at, id) in [(0, "TR3"), (2, "TR1"), (3, "TR2"), (4, "TR1"), (5, "TR2")] {
        assert_eq!(found(at), world.transfer(id).await, "{id}");
    }
    let Some(Found::Error(error)) = &results[1].result else {
        panic!("{:?}", results[1]);
    };
    assert_eq!(error.reason, "NOT_FOUND");
    assert_eq!(error.message, "there is no transfer \"none\"");
}

#[tokio::test]
async fn a_batch_is_refused_when_it_is_empty_too_large_or_has_an_empty_key() {
    let world = World::start().await;
    let many = ids((0..501).map(|number| format!("TR{number}")));
    for (selectors, field) in [
        (vec![], "selectors"),
        (many, "selectors"),
        (ids(["TR1", ""]), "selectors[1].key"),
        (vec![proto::TransferSelector::default()], "selectors[0].key"),
    ] {
        let status = batch(&world, selectors).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_details_bad_request().unwrap();
        assert_eq!(details.field_violations[0].field, field);
    }
    let most = ids((0..500).map(|number| format!("TR{number}")));
    assert_eq!(batch(&world, most).await.unwrap().len(), 500);
}

/// Eighty transfers of which each carries 60 kB of its owner's.
#[tokio::test]
async fn what_has_no_room_in_the_answer_of_a_batch_is_named_and_can_be_had_alone() {
    let world = World::start().await;
    for number in 0..80 {
        world.add(Payment::debit(&format!("TR{number}"))).await;
    }
    sqlx::query("UPDATE transfers SET raw = json_object('note', replace(hex(zeroblob(6000)), '0', 'words'))")
        .execute(&world.gateway)
        .await
        .unwrap();
    let asked = ids((0..80).map(|number| format!("TR{number}")));
    let results = batch(&world, asked.clone()).await.unwrap();
    assert_eq!(results.len(), 80);
    let mut left_out = Vec::new();
    for (asked, one) in asked.into_iter().zip(results) {
        match one.result {
            Some(Found::Transfer(transfer)) => assert!(transfer.raw_json.len() > 60_000),
            Some(Found::Error(error)) => {
                assert_eq!(error.reason, "ANSWER_FULL");
                left_out.push(asked);
            }
            None => panic!("neither"),
        }
    }
    assert!((20..40).contains(&left_out.len()), "{}", left_out.len());
    for result in batch(&world, left_out).await.unwrap() {
        assert!(matches!(result.result, Some(Found::Transfer(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_at_once_each_get_their_own_transfer() {
    let world = World::start().await;
    let mut file = Worldpay::new();
    for number in 0..40 {
        let id = format!("TR{number}");
        world.add(Payment::debit(&id)).await;
        if number % 2 == 0 {
            file = file.returned(&id, "R01");
        }
    }
    world.import("worldpay_returns", "r.csv", file).await;
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..400 {
        let mut client = world.client.clone();
        calls.spawn(async move {
            let id = format!("TR{}", call % 45);
            let ask = proto::GetTransferRequest {
                key: Some(proto::get_transfer_request::Key::TransferId(id.clone())),
                ..Default::default()
            };
            (call % 45, id, client.get_transfer(ask).await)
        });
    }
    for (number, id, answer) in calls.join_all().await {
        if number >= 40 {
            assert_eq!(answer.unwrap_err().code(), Code::NotFound);
            continue;
        }
        let transfer = answer.unwrap().into_inner().transfer.unwrap();
        assert_eq!(transfer.id, id);
        assert_eq!(transfer.has_ach_return, number % 2 == 0, "{id}");
    }
}

async fn follow(world: &World, after_position: u64) -> Streaming<proto::StreamReturnsResponse> {
    let ask = proto::StreamReturnsRequest {
        after_position,
        heartbeat_ms: 1_000,
        ..Default::default()
    };
    let stream = world.client.clone().stream_returns(ask).await;
    stream.unwrap().into_inner()
}

/// The next return, past heartbeats, with its position.
async fn next(stream: &mut Streaming<proto::StreamReturnsResponse>) -> (u64, String) {
    loop {
        let message = stream.message().await.unwrap().unwrap();
        if let Some(found) = message.ach_return {
            assert_eq!(found.position, message.position);
            return (message.position, found.transfer_id);
        }
    }
}

#[tokio::test]
async fn the_stream_sends_what_there_is_and_then_each_new_return_once() {
    let world = World::start().await;
    for id in ["TR1", "TR2", "TR3"] {
        world.add(Payment::debit(id)).await;
    }
    let file = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "1.csv", file).await;
    let mut stream = follow(&world, 0).await;
    assert_eq!(next(&mut stream).await, (1, "TR1".to_owned()));
    let file = Worldpay::new().returned("TR2", "R02");
    world.import("worldpay_returns", "2.csv", file).await;
    assert_eq!(next(&mut stream).await, (2, "TR2".to_owned()));

    // Cut off: what came meanwhile is there, and nothing again.
    drop(stream);
    let file = Worldpay::new().returned("TR3", "R03");
    world.import("worldpay_returns", "3.csv", file).await;
    let mut stream = follow(&world, 2).await;
    assert_eq!(next(&mut stream).await, (3, "TR3".to_owned()));
    let heartbeat = stream.message().await.unwrap().unwrap();
    assert_eq!((heartbeat.position, heartbeat.ach_return), (3, None));
}

#[tokio::test]
async fn a_position_of_another_journal_or_beyond_the_end_is_refused() {
    let world = World::start().await;
    let refused = |ask: proto::StreamReturnsRequest| {
        let mut client = world.client.clone();
        async move {
            let status = client.stream_returns(ask).await.unwrap_err();
            let reason = status.get_details_error_info().unwrap().reason;
            (status.code(), reason)
        }
    };
    let ask = proto::StreamReturnsRequest::default;
    let beyond = refused(proto::StreamReturnsRequest {
        after_position: 1,
        ..ask()
    });
    assert_eq!(beyond.await, (Code::OutOfRange, "BEYOND_HEAD".into()));
    let foreign = refused(proto::StreamReturnsRequest {
        journal_id: "6f2c4b1e-0000-4000-8000-000000000000".into(),
        ..ask()
    });
    let another = (Code::FailedPrecondition, "ANOTHER_JOURNAL".into());
    assert_eq!(foreign.await, another);
    let hasty = refused(proto::StreamReturnsRequest {
        heartbeat_ms: 10,
        ..ask()
    });
    assert_eq!(hasty.await.0, Code::InvalidArgument);
}

#[tokio::test]
async fn one_hold_is_read_by_its_id() {
    let world = World::start().await;
    let file = Worldpay::new().returned("unknown", "R01");
    world.import("worldpay_returns", "1.csv", file).await;
    let held = world.hold().await;
    let mut client = world.client.clone();
    let ask = proto::GetHoldRequest {
        hold_id: held.hold_id.clone(),
    };
    let answer = client.get_hold(ask).await.unwrap().into_inner();
    assert_eq!(answer.hold, Some(held));
    let ask = proto::GetHoldRequest {
        hold_id: "hold_none".into(),
    };
    assert_eq!(
        client.get_hold(ask).await.unwrap_err().code(),
        Code::NotFound
    );
}

async fn returned(world: &World, ask: proto::ListReturnsRequest) -> Vec<String> {
    let answer = world.client.clone().list_returns(ask).await.unwrap();
    let page = answer.into_inner().ach_returns;
    page.into_iter().map(|one| one.transfer_id).collect()
}

#[tokio::test]
async fn returns_are_found_by_merchant_effect_time_and_amount() {
    let world = World::start().await;
    world.add(Payment::debit("TR1").amount(100)).await;
    world
        .add(Payment::debit("TR2").amount(200).state("PENDING"))
        .await;
    let file = Worldpay::new().returned("TR1", "R01").amount("1.00");
    world.import("worldpay_returns", "1.csv", file).await;
    let between = now();
    let file = Worldpay::new().returned("TR2", "R02").amount("2.00");
    world.import("worldpay_returns", "2.csv", file).await;
    let ask = proto::ListReturnsRequest::default;
    for (request, found) in [
        (ask(), vec!["TR2", "TR1"]),
        (
            proto::ListReturnsRequest {
                effect: proto::Effect::Reverse.into(),
                ..ask()
            },
            vec!["TR1"],
        ),
        (
            proto::ListReturnsRequest {
                merchant_identity: "IDmerchant".into(),
                min_amount_minor: Some(150),
                ..ask()
            },
            vec!["TR2"],
        ),
        (
            proto::ListReturnsRequest {
                merchant_identity: "IDother".into(),
                ..ask()
            },
            vec![],
        ),
        (
            proto::ListReturnsRequest {
                decided_from: Some(to_proto(between)),
                ..ask()
            },
            vec!["TR2"],
        ),
        (
            proto::ListReturnsRequest {
                decided_before: Some(to_proto(between)),
                ..ask()
            },
            vec!["TR1"],
        ),
        (
            proto::ListReturnsRequest {
                decided_before: Some(to_proto(between - Duration::from_secs(7_200))),
                ..ask()
            },
            vec![],
        ),
    ] {
        assert_eq!(
            returned(&world, request.clone()).await,
            found,
            "{request:?}"
        );
    }
    let nothing = proto::ListReturnsRequest {
        min_amount_minor: Some(2),
        max_amount_minor: Some(1),
        ..ask()
    };
    let refused = world.client.clone().list_returns(nothing).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn pages_of_a_filtered_list_hold_each_match_once() {
    let world = World::start().await;
    let mut file = Worldpay::new();
    for number in 0..9 {
        let id = format!("TR{number}");
        let state = if number % 3 == 0 {
            "PENDING"
        } else {
            "SUCCEEDED"
        };
        world.add(Payment::debit(&id).state(state)).await;
        file = file.returned(&id, "R01");
    }
    world.import("worldpay_returns", "1.csv", file).await;
    let mut ask = proto::ListReturnsRequest {
        effect: proto::Effect::Return.into(),
        page_size: 2,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let answer = world.client.clone().list_returns(ask.clone()).await;
        let page = answer.unwrap().into_inner();
        found.extend(page.ach_returns.into_iter().map(|one| one.transfer_id));
        if page.next_page_token.is_empty() {
            break;
        }
        ask.page_token = page.next_page_token;
    }
    assert_eq!(found, ["TR6", "TR3", "TR0"]);
}

#[tokio::test]
async fn imports_are_found_by_state_time_and_amount() {
    let world = World::start().await;
    world.add(Payment::debit("TR1").amount(100)).await;
    let file = Worldpay::new().returned("TR1", "R01").amount("1.00");
    world.import("worldpay_returns", "good.csv", file).await;
    let between = now();
    let bad = world
        .import("worldpay_returns", "bad.csv", "not a file")
        .await;
    assert_eq!(bad.state(), proto::ImportState::Rejected);
    let listed = |ask: proto::ListImportsRequest| {
        let mut client = world.client.clone();
        async move {
            let answer = client.list_imports(ask).await.unwrap().into_inner();
            let names = answer.imports.into_iter().map(|one| one.file_name);
            names.collect::<Vec<_>>()
        }
    };
    let ask = proto::ListImportsRequest::default;
    for (request, found) in [
        (
            proto::ListImportsRequest {
                state: proto::ImportState::Rejected.into(),
                ..ask()
            },
            vec!["bad.csv"],
        ),
        (
            proto::ListImportsRequest {
                received_before: Some(to_proto(between)),
                ..ask()
            },
            vec!["good.csv"],
        ),
        (
            proto::ListImportsRequest {
                min_amount_minor: Some(100),
                max_amount_minor: Some(100),
                ..ask()
            },
            vec!["good.csv"],
        ),
        (
            proto::ListImportsRequest {
                min_amount_minor: Some(101),
                ..ask()
            },
            vec![],
        ),
    ] {
        assert_eq!(listed(request.clone()).await, found, "{request:?}");
    }
}
