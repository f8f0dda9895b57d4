//! The life of a return after it was applied: its reversal becomes ready to settle, the return
//! is dishonored, and the dishonor is contested.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, World, Worldpay, eventually};
use proto::operations_service_client::OperationsServiceClient;
use proto::resolve_hold_request::Action;
use tonic::{Code, Status};

/// The trace number of the original in a NACHA file, and that of its return.
const ORIGINAL: &str = "231380100000001";
const RETURN: &str = "091000010000001";

async fn start(ready: &str) -> World {
    World::start_with(|options| {
        options.returns = options.returns.replace("by_hand", ready);
    })
    .await
}

async fn mark(world: &World, transfer_id: &str) -> Result<i64, Status> {
    let ask = proto::ReleaseToSettlementRequest {
        transfer_id: transfer_id.to_owned(),
        request_id: String::new(),
        reason: "the merchant asked".to_owned(),
    };
    let answer = OperationsServiceClient::connect(world.stack.url())
        .await
        .unwrap()
        .release_to_settlement(ask)
        .await?;
    Ok(answer.into_inner().ready_to_settle_at.unwrap().seconds)
}

async fn send(world: &World, name: &str, file: Nacha) -> proto::Import {
    let import = world.import("nacha", name, file).await;
    assert_eq!(import.state(), proto::ImportState::Applied, "{import:?}");
    import
}

/// One column of the transfer whose parent this is.
async fn child(world: &World, parent: &str, sql: &'static str) -> String {
    world.in_gateway(sql, parent).await
}

#[tokio::test]
async fn a_reversal_becomes_ready_to_settle_when_every_database_has_it() {
    let world = start("when_applied").await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "r.csv", file).await;
    let reversal = world.transfer("TR1").await.reversal_ids.remove(0);
    eventually("the reversal is ready", || async {
        world.transfer(&reversal).await.ready_to_settle_at.is_some()
    })
    .await;
    assert_eq!(world.journal_length().await, 2);
    // The original keeps its own, and marking by hand changes nothing more.
    let ready = world.transfer(&reversal).await.ready_to_settle_at;
    assert_eq!(
        mark(&world, &reversal).await.unwrap(),
        ready.unwrap().seconds
    );
    assert_eq!(world.journal_length().await, 2);
}

#[tokio::test]
async fn a_reversal_becomes_ready_by_hand_once_and_the_return_stays_as_it_is() {
    let world = start("by_hand").await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "r.csv", file).await;
    let before = world.transfer("TR1").await;
    let reversal = before.reversal_ids[0].clone();
    assert!(world.transfer(&reversal).await.ready_to_settle_at.is_none());

    let first = mark(&world, &reversal).await.unwrap();
    eventually("the gateway has it", || async {
        world.transfer(&reversal).await.ready_to_settle_at.is_some()
    })
    .await;
    assert_eq!(mark(&world, &reversal).await.unwrap(), first);
    assert_eq!(world.journal_length().await, 2);
    assert_eq!(world.status("TR1").await, "returned");
    let after = world.transfer("TR1").await.ach_return.unwrap();
    let before = before.ach_return.unwrap();
    assert_eq!(
        (after.ach_return_id, after.effect),
        (before.ach_return_id, before.effect)
    );
    assert_eq!(
        mark(&world, "TR1").await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_dishonor_gives_back_what_the_return_took_and_a_contest_takes_it_again() {
    let world = start("when_applied").await;
    world.add(Payment::debit("TR1").ach_trace(ORIGINAL)).await;
    send(&world, "1.ach", Nacha::new().returned(ORIGINAL, "R10")).await;
    let returned = world.transfer("TR1").await;
    let (found, reversal) = (returned.ach_return.unwrap(), &returned.reversal_ids[0]);

    let of = (RETURN, "R10");
    let file = Nacha::new().dishonored(ORIGINAL, "R68", of);
    let import = send(&world, "2.ach", file).await;
    assert_eq!(import.totals.unwrap().restored.unwrap().count, 1);
    let of_reversal = "SELECT id FROM transfers WHERE parent_id = ?";
    let restoration = child(&world, reversal, of_reversal).await;
    let made = world.transfer(&restoration).await;
    assert_eq!(
        (
            made.r#type.as_str(),
            made.subtype.as_str(),
            made.state.as_str()
        ),
        ("DEBIT", "SYSTEM", "SUCCEEDED")
    );
    assert_eq!(
        (made.amount_minor, made.source.as_str()),
        (5_000, "PIbuyer")
    );
    assert_eq!(made.tags["result_message_0"], "ReasonCode: R68");
    // Nothing is taken away of what the return did.
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    assert_eq!(world.state(reversal).await, "SUCCEEDED");
    assert_eq!(world.status("TR1").await, "restored");

    let file = Nacha::new().contested(ORIGINAL, "R73", of, "R68");
    let import = send(&world, "3.ach", file).await;
    assert_eq!(import.totals.unwrap().reapplied.unwrap().count, 1);
    let again = world
        .transfer(&child(&world, &restoration, of_reversal).await)
        .await;
    assert_eq!(
        (
            again.r#type.as_str(),
            again.subtype.as_str(),
            again.amount_minor
        ),
        ("REVERSAL", "SYSTEM", 5_000)
    );
    assert_eq!(again.destination, "PIbuyer");
    assert_eq!(world.status("TR1").await, "returned");

    let listed = listed(&world).await;
    let stages: Vec<_> = listed
        .iter()
        .map(|one| (one.effect(), one.return_code.as_str()))
        .collect();
    assert_eq!(
        stages,
        [
            (proto::Effect::Reapply, "R73"),
            (proto::Effect::Restore, "R68"),
            (proto::Effect::Reverse, "R10"),
        ]
    );
    assert_eq!(listed[1].related_return_id, found.ach_return_id);
    assert_eq!(listed[1].restoration_id, restoration);
    assert!(world.holds().await.is_empty());
    // Each of the three transfers is made, and made ready.
    eventually("all are ready", || async {
        world.journal_length().await == 6
    })
    .await;
}

async fn listed(world: &World) -> Vec<proto::AchReturn> {
    let ask = proto::ListReturnsRequest::default();
    let answer = world.client.clone().list_returns(ask).await.unwrap();
    answer.into_inner().ach_returns
}

#[tokio::test]
async fn a_dishonor_of_a_return_before_funding_pays_the_merchant_by_a_new_transfer() {
    let world = start("by_hand").await;
    let pending = Payment::debit("TR1").ach_trace(ORIGINAL).state("PENDING");
    world.add(pending).await;
    send(&world, "1.ach", Nacha::new().returned(ORIGINAL, "R01")).await;
    assert_eq!(world.state("TR1").await, "FAILED", "so Finix shows it");
    let file = Nacha::new().dishonored(ORIGINAL, "R69", (RETURN, "R01"));
    send(&world, "2.ach", file).await;
    assert_eq!(
        world.state("TR1").await,
        "FAILED",
        "it stays as it was left"
    );
    assert_eq!(
        child(
            &world,
            "TR1",
            "SELECT type FROM transfers WHERE parent_id = ?"
        )
        .await,
        "DEBIT"
    );
    assert_eq!(world.transfer("TR1").await.reversal_ids, [] as [String; 0]);
}

#[tokio::test]
async fn a_whole_life_in_one_file_is_applied_in_order() {
    let world = start("by_hand").await;
    world.add(Payment::debit("TR1").ach_trace(ORIGINAL)).await;
    let of = (RETURN, "R10");
    let file = Nacha::new()
        .returned(ORIGINAL, "R10")
        .dishonored(ORIGINAL, "R68", of)
        .contested(ORIGINAL, "R73", of, "R68");
    let import = send(&world, "all.ach", file).await;
    let totals = import.totals.unwrap();
    let counts = [totals.reversed, totals.restored, totals.reapplied];
    assert_eq!(counts.map(|tally| tally.unwrap().count), [1, 1, 1]);
    assert_eq!(world.status("TR1").await, "returned");
    assert_eq!(world.reversals("TR1").await, "1");
    // Nothing waited, and nothing had to be decided again.
    assert!(world.holds().await.is_empty());
    assert_eq!(world.journal_length().await, 3);
}

/// A return and all that follows, for a payment which the gateway puts into `state` after the
/// file was decided and before anything of it is applied.
async fn overtaken(world: &World, state: &str, file: Nacha) {
    let pending = Payment::debit("TR1").ach_trace(ORIGINAL).state("PENDING");
    world.add(pending).await;
    let mut owner = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("UPDATE transfers SET state = ? WHERE id = 'TR1'")
        .bind(state)
        .execute(&mut *owner)
        .await
        .unwrap();
    let wait = proto::WaitLevel::Decided;
    world.send("nacha", "all.ach", file, wait).await.unwrap();
    owner.commit().await.unwrap();
}

async fn retry(world: &World, hold_id: String) {
    let ask = proto::ResolveHoldRequest {
        hold_id,
        action: Some(Action::RetryHold(proto::RetryHold::default())),
        request_id: String::new(),
        note: "it is mended now".to_owned(),
    };
    world.client.clone().resolve_hold(ask).await.unwrap();
}

#[tokio::test]
async fn what_no_return_took_is_not_given_back_whatever_the_state_says() {
    let world = start("when_applied").await;
    let of = (RETURN, "R01");
    let file = Nacha::new()
        .returned(ORIGINAL, "R01")
        .dishonored(ORIGINAL, "R69", of)
        .contested(ORIGINAL, "R74", of, "R69");
    // The gateway says FAILED by itself, which is also how it spells RETURNED.
    overtaken(&world, "FAILED", file).await;
    eventually("all of it is held", || async {
        world.holds().await.len() == 3
    })
    .await;
    let holds = world.holds().await;
    let reason = |reason| holds.iter().find(|hold| hold.reason() == reason);
    assert!(
        reason(proto::HoldReason::DishonoredReturn).is_some(),
        "{holds:?}"
    );
    assert!(
        reason(proto::HoldReason::ContestedReturn).is_some(),
        "{holds:?}"
    );
    let returned = reason(proto::HoldReason::StateConflict);
    let returned = returned.unwrap_or_else(|| panic!("{holds:?}")).clone();
    assert_eq!(world.reversals("TR1").await, "0", "nothing is made");

    // Once the return is applied after all, the later stages follow by themselves.
    sqlx::query("UPDATE transfers SET state = 'PENDING' WHERE id = 'TR1'")
        .execute(&world.gateway)
        .await
        .unwrap();
    retry(&world, returned.hold_id).await;
    let made = "SELECT CAST(COUNT(*) AS TEXT) FROM transfers WHERE id <> ?";
    eventually("the later stages follow", || async {
        world.in_gateway(made, "TR1").await == "2" && world.holds().await.is_empty()
    })
    .await;
    let of_parent = "SELECT id FROM transfers WHERE parent_id = ?";
    let restoration = child(&world, "TR1", of_parent).await;
    let again = child(&world, &restoration, of_parent).await;
    assert_eq!(world.transfer(&again).await.r#type, "REVERSAL");
    assert_eq!(world.reversals("TR1").await, "1");
    assert_eq!(world.reversals(&restoration).await, "1");
}

#[tokio::test]
async fn a_dishonor_follows_its_return_to_the_row_that_replaced_it() {
    let world = start("by_hand").await;
    let file = Nacha::new()
        .returned(ORIGINAL, "R01")
        .dishonored(ORIGINAL, "R69", (RETURN, "R01"));
    // Funded meanwhile: the return becomes a reversal, and that is what is given back.
    overtaken(&world, "SUCCEEDED", file).await;
    eventually("it is given back", || async {
        world.status("TR1").await == "restored"
    })
    .await;
    assert!(world.holds().await.is_empty());
    let reversal = world.transfer("TR1").await.reversal_ids.remove(0);
    let of_parent = "SELECT type FROM transfers WHERE parent_id = ?";
    assert_eq!(child(&world, &reversal, of_parent).await, "DEBIT");
    assert_eq!(world.reversals("TR1").await, "1");
    assert_eq!(world.reversals(&reversal).await, "1");
    // Both rows were replaced, each once.
    assert_eq!(world.journal_length().await, 4);
}

#[tokio::test]
async fn a_reversal_that_can_never_be_settled_is_held_and_not_called_ready() {
    let world = start("by_hand").await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "r.csv", file).await;
    let reversal = world.transfer("TR1").await.reversal_ids.remove(0);
    let set = |state: &'static str| {
        sqlx::query("UPDATE transfers SET state = ? WHERE id = ?")
            .bind(state)
            .bind(reversal.clone())
            .execute(&world.gateway)
    };
    set("CANCELED").await.unwrap();
    mark(&world, &reversal).await.unwrap();
    eventually("it is held", || async { world.holds().await.len() == 1 }).await;
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::DatabaseRefused);
    let refused = mark(&world, &reversal).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains(&hold.hold_id), "{refused}");

    set("SUCCEEDED").await.unwrap();
    retry(&world, hold.hold_id).await;
    eventually("it is ready", || async {
        world.transfer(&reversal).await.ready_to_settle_at.is_some()
    })
    .await;
    let ready = world.transfer(&reversal).await.ready_to_settle_at;
    assert_eq!(
        mark(&world, &reversal).await.unwrap(),
        ready.unwrap().seconds
    );
    assert!(world.holds().await.is_empty());
}

#[tokio::test]
async fn a_payment_that_is_funded_while_its_return_and_later_stages_are_applied_goes_through_all() {
    let world = start("by_hand").await;
    let pending = Payment::debit("TR1").ach_trace(ORIGINAL).state("PENDING");
    world.add(pending).await;
    // The gateway's owner funds it in a transaction that is open while all stages are decided.
    let mut funding = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("UPDATE transfers SET state = 'SUCCEEDED' WHERE id = 'TR1'")
        .execute(&mut *funding)
        .await
        .unwrap();
    let of = (RETURN, "R10");
    let file = Nacha::new()
        .returned(ORIGINAL, "R10")
        .dishonored(ORIGINAL, "R68", of)
        .contested(ORIGINAL, "R73", of, "R68");
    let decided = world
        .send("nacha", "all.ach", file, proto::WaitLevel::Decided)
        .await
        .unwrap();
    let totals = decided.file_import.unwrap().totals.unwrap();
    assert_eq!(totals.returned.unwrap().count, 1, "decided on PENDING");
    funding.commit().await.unwrap();

    // The mirror says returned twice on its way, so that the gateway tells when it is over.
    let transfers = "SELECT COUNT(*) FROM transfers";
    eventually("each stage is applied in the end", || async {
        let transfers = sqlx::query_scalar::<_, i64>(transfers).fetch_one(&world.gateway);
        transfers.await.unwrap() == 4 && world.status("TR1").await == "returned"
    })
    .await;
    assert_eq!(world.journal_length().await, 6, "each row was superseded");
    assert!(world.holds().await.is_empty());
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    let of_transfer = "SELECT id FROM transfers WHERE parent_id = ?";
    let reversal = child(&world, "TR1", of_transfer).await;
    let restoration = child(&world, &reversal, of_transfer).await;
    let again = child(&world, &restoration, of_transfer).await;
    assert_eq!(world.transfer(&restoration).await.r#type, "DEBIT");
    assert_eq!(world.transfer(&again).await.r#type, "REVERSAL");
}

#[tokio::test]
async fn a_dishonor_that_comes_before_its_return_waits_for_it() {
    let world = start("by_hand").await;
    world.add(Payment::debit("TR1").ach_trace(ORIGINAL)).await;
    let of = (RETURN, "R10");
    let file = Nacha::new().dishonored(ORIGINAL, "R68", of);
    send(&world, "1.ach", file).await;
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::DishonoredReturn);
    assert!(
        hold.detail.contains("no return of transfer TR1"),
        "{}",
        hold.detail
    );

    send(&world, "2.ach", Nacha::new().returned(ORIGINAL, "R10")).await;
    eventually("the dishonor is applied", || async {
        world.status("TR1").await == "restored" && world.holds().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn the_same_stage_in_another_file_is_a_duplicate() {
    let world = start("by_hand").await;
    world.add(Payment::debit("TR1").ach_trace(ORIGINAL)).await;
    let of = (RETURN, "R10");
    send(&world, "1.ach", Nacha::new().returned(ORIGINAL, "R10")).await;
    let dishonor = Nacha::new().dishonored(ORIGINAL, "R68", of);
    send(&world, "2.ach", dishonor.clone()).await;
    let file = dishonor.dishonored(ORIGINAL, "R68", of);
    let import = send(&world, "3.ach", file).await;
    assert_eq!(import.totals.unwrap().duplicate.unwrap().count, 2);
    assert_eq!(world.journal_length().await, 2);
}

#[tokio::test]
async fn a_mirror_that_lacked_the_payment_learns_with_its_return_that_the_reversal_is_ready() {
    let world = start("when_applied").await;
    let payment = Payment::debit("TR1");
    world.add(payment.clone().only_in_gateway()).await;
    let file = Worldpay::new().returned("TR1", "R01");
    world.import("worldpay_returns", "r.csv", file).await;
    let reversal = world.transfer("TR1").await.reversal_ids.remove(0);
    eventually("the reversal is ready", || async {
        world.transfer(&reversal).await.ready_to_settle_at.is_some()
    })
    .await;
    // The mirror follows the gateway.
    eventually("it is held", || async { world.holds().await.len() == 1 }).await;
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::DatabaseRefused);

    world.add_transaction(&payment).await;
    let ask = proto::ResolveHoldRequest {
        hold_id: hold.hold_id,
        action: Some(Action::RetryHold(proto::RetryHold::default())),
        request_id: String::new(),
        note: "it is there now".to_owned(),
    };
    world.client.clone().resolve_hold(ask).await.unwrap();
    let ready = "SELECT reversal_ready_at FROM transactions WHERE transfer_id = ?";
    eventually("the mirror has both", || async {
        world.status("TR1").await == "returned" && !world.in_rallypay(ready, "TR1").await.is_empty()
    })
    .await;
    assert!(world.holds().await.is_empty());
    assert_eq!(world.reversals("TR1").await, "1");
}

#[tokio::test]
async fn a_return_that_was_dishonored_is_not_listed_as_dishonorable_any_more() {
    let world = start("by_hand").await;
    // Settled so long ago that the return is untimely.
    let payment = Payment::debit("TR1").ach_trace(ORIGINAL);
    world.add(payment.settled_on("2026-10-01")).await;
    let listed = || async {
        let ask = proto::ListDishonorableReturnsRequest::default();
        let answer = world
            .client
            .clone()
            .list_dishonorable_returns(ask)
            .await
            .unwrap();
        answer.into_inner().dishonorable_returns.len()
    };
    send(&world, "1.ach", Nacha::new().returned(ORIGINAL, "R01")).await;
    assert_eq!(listed().await, 1);
    let file = Nacha::new().dishonored(ORIGINAL, "R68", (RETURN, "R01"));
    send(&world, "2.ach", file).await;
    assert_eq!(listed().await, 0);
}
