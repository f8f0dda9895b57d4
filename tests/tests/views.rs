//! A payment in every platform's words, end to end: a file in, `GetTransfer` and `GetReturn` in
//! each version.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay};
use proto::TransferView::{Finix, Rainforest, Unspecified};
use tonic::Code;

const OLDER: &str = "2023-12-01";
const NEWEST: &str = "2024-10-16";

async fn look(
    world: &World,
    id: &str,
    view: proto::TransferView,
    api_version: &str,
) -> Result<proto::Transfer, tonic::Status> {
    let key = proto::get_transfer_request::Key::TransferId(id.to_owned());
    let ask = proto::GetTransferRequest {
        key: Some(key),
        view: view.into(),
        api_version: api_version.to_owned(),
    };
    let answer = world.client.clone().get_transfer(ask).await?;
    Ok(answer.into_inner().transfer.unwrap())
}

/// State, number of messages, and whether there is a return, in each view.
async fn pictures(world: &World, id: &str) -> Vec<(String, usize, bool)> {
    let mut pictures = Vec::new();
    for (view, version) in [
        (Unspecified, ""),
        (Finix, ""),
        (Rainforest, OLDER),
        (Rainforest, NEWEST),
    ] {
        let shown = look(world, id, view, version).await.unwrap();
        assert_eq!(shown.has_ach_return, shown.ach_return.is_some());
        pictures.push((shown.state, shown.messages.len(), shown.has_ach_return));
    }
    pictures
}

fn picture(state: &str, messages: usize, has_ach_return: bool) -> (String, usize, bool) {
    (state.to_owned(), messages, has_ach_return)
}

#[tokio::test]
async fn each_version_sees_a_return_in_its_own_words() {
    let world = World::start().await;
    world.add(Payment::debit("TR1").state("PENDING")).await;
    world.add(Payment::debit("TR2")).await;
    world.add(Payment::debit("TR3").state("PENDING")).await;
    let file = Worldpay::new()
        .returned("TR1", "R02")
        .returned("TR2", "R01");
    world.import("worldpay_returns", "r.csv", file).await;

    // The gateway speaks Finix's words; the journal knows better.
    assert_eq!(
        pictures(&world, "TR1").await,
        [
            picture("FAILED", 2, true),
            picture("FAILED", 2, true),
            picture("SUCCEEDED", 0, true),
            picture("RETURNED", 0, true),
        ]
    );
    assert_eq!(
        pictures(&world, "TR2").await,
        [
            picture("SUCCEEDED", 0, true),
            picture("SUCCEEDED", 0, true),
            picture("SUCCEEDED", 0, true),
            picture("SUCCEEDED", 0, true),
        ]
    );
    assert_eq!(
        pictures(&world, "TR3").await,
        [
            picture("PENDING", 0, false),
            picture("PENDING", 0, false),
            picture("PROCESSING", 0, false),
            picture("PROCESSING", 0, false),
        ]
    );

    let older = look(&world, "TR1", Rainforest, OLDER).await.unwrap();
    assert_eq!(
        (older.failure_code.as_str(), older.failure_message.as_str()),
        ("", ""),
        "a success has no failure"
    );
    let found = older.ach_return.unwrap();
    assert_eq!(found.return_code, "R02");
    assert_eq!(found.stage(), proto::AchReturnStage::Created);

    for (version, state) in [(OLDER, "SUCCEEDED"), (NEWEST, "RETURNED")] {
        let ask = proto::GetReturnRequest {
            ach_return_id: found.ach_return_id.clone(),
            view: Rainforest.into(),
            api_version: version.to_owned(),
        };
        let answer = world.client.clone().get_return(ask).await.unwrap();
        let shown = answer.into_inner().ach_return.unwrap();
        assert_eq!(shown.transfer_state, state);
        assert_eq!(shown.return_code, "R02");
    }
}

#[tokio::test]
async fn a_return_that_is_applied_and_not_yet_recorded_is_no_failure() {
    let world = World::start().await;
    world.add(Payment::debit("TR1").state("PENDING")).await;
    let file = Worldpay::new().returned("TR1", "R02");
    world.import("worldpay_returns", "r.csv", file).await;
    // As if the adapter's answer had been lost: the gateway has it, the record does not say so.
    let returns = format!("sqlite://{}/returns.db", world.options.data.display());
    let returns = sqlx::SqlitePool::connect(&returns).await.unwrap();
    let forgotten = sqlx::query("UPDATE followers SET position = 0").execute(&returns);
    assert_eq!(forgotten.await.unwrap().rows_affected(), 2);
    assert_eq!(world.state("TR1").await, "FAILED", "so Finix spells it");
    assert_eq!(
        pictures(&world, "TR1").await[2..],
        [picture("SUCCEEDED", 0, true), picture("RETURNED", 0, true)]
    );
    let found = world.transfer("TR1").await.ach_return.unwrap();
    let ask = proto::GetReturnRequest {
        ach_return_id: found.ach_return_id,
        view: Rainforest.into(),
        api_version: NEWEST.to_owned(),
    };
    let answer = world.client.clone().get_return(ask).await.unwrap();
    assert_eq!(
        answer.into_inner().ach_return.unwrap().transfer_state,
        "RETURNED"
    );
}

#[tokio::test]
async fn a_version_that_there_is_not_is_refused_by_its_field() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    for (view, version) in [
        (Rainforest, ""),
        (Rainforest, "2019-01-01"),
        (Finix, NEWEST),
    ] {
        let refused = look(&world, "TR1", view, version).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with("api_version"), "{refused}");
    }
}
