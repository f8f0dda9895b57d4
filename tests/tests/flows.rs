//! What a return, a correction or a failure does to a payment, end to end: a file in, both
//! databases right.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, World, Worldpay, eventually, funding_rejects};

fn count(tally: Option<proto::Tally>) -> u64 {
    tally.unwrap_or_default().count
}

#[tokio::test]
async fn a_return_of_a_funded_debit_creates_one_reversal() {
    let world = World::start().await;
    world
        .add(Payment::debit("TR1").settled_on("2026-11-12"))
        .await;
    let import = world
        .import(
            "worldpay_returns",
            "r.csv",
            Worldpay::new().returned("TR1", "R01"),
        )
        .await;
    assert_eq!(import.state(), proto::ImportState::Applied);
    assert_eq!(count(import.totals.unwrap().reversed), 1);

    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    assert_eq!(world.reversals("TR1").await, "1");
    assert_eq!(world.status("TR1").await, "returned");

    let transfer = world.transfer("TR1").await;
    assert!(transfer.has_ach_return);
    let found = transfer.ach_return.unwrap();
    assert_eq!(found.return_code, "R01");
    assert_eq!(found.return_title, "Insufficient Funds");
    assert_eq!(found.deadline, "2026-11-16");
    assert_eq!(found.representment(), proto::Representment::TwiceIn180Days);
    let databases: Vec<_> = found.databases.iter().map(|one| one.state()).collect();
    assert_eq!(databases, [proto::DatabaseState::Applied; 2]);

    let reversal = world.transfer(&transfer.reversal_ids[0]).await;
    assert_eq!(
        (reversal.r#type.as_str(), reversal.subtype.as_str()),
        ("REVERSAL", "SYSTEM")
    );
    assert_eq!(
        (reversal.state.as_str(), reversal.amount_minor),
        ("SUCCEEDED", 5_000)
    );
    assert_eq!(
        (reversal.parent_id.as_str(), reversal.source.as_str()),
        ("TR1", "")
    );
    assert_eq!(reversal.destination, "PIbuyer");
    assert!(reversal.ready_to_settle_at.is_none());
    assert_eq!(reversal.tags["result_message_0"], "ReasonCode: R01");
    assert_eq!(
        reversal.tags["result_message_1"],
        "ReasonDescription: Insufficient Funds"
    );
    assert_eq!(
        reversal.tags["result_message_2"],
        "Rejected because there is 'ACH_eCheck_Returns' record in CHARGEBACK for 'FNXTR1' ACH transfer"
    );
}

#[tokio::test]
async fn a_return_of_a_pending_debit_moves_no_money() {
    let world = World::start().await;
    world.add(Payment::debit("TR1").state("PENDING")).await;
    let import = world
        .import(
            "worldpay_returns",
            "r.csv",
            Worldpay::new().returned("TR1", "R02"),
        )
        .await;
    assert_eq!(count(import.totals.unwrap().returned), 1);

    let transfer = world.transfer("TR1").await;
    assert_eq!(transfer.state, "FAILED", "so Finix shows it");
    assert_eq!(transfer.messages[0], "ReasonCode: R02");
    assert!(transfer.has_ach_return);
    assert_eq!(world.reversals("TR1").await, "0");
    assert_eq!(world.status("TR1").await, "returned");
}

#[tokio::test]
async fn with_the_deposit_policy_only_a_debit_in_a_deposit_is_reversed() {
    let world = World::start_with(|options| {
        options.gateway = "profile = \"rainforest\"\n".to_owned();
    })
    .await;
    world.add(Payment::debit("TR1")).await;
    world.add(Payment::debit("TR2").deposit("DEP1")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R01");
    world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(world.state("TR1").await, "RETURNED");
    assert_eq!(world.reversals("TR1").await, "0");
    assert_eq!(world.state("TR2").await, "SUCCEEDED");
    assert_eq!(world.reversals("TR2").await, "1");
}

#[tokio::test]
async fn a_returned_payout_fails_with_code_text_and_masked_row() {
    let world = World::start().await;
    world.add(Payment::payout("TR1")).await;
    world
        .import("worldpay_funding", "f.csv", funding_rejects(&["TR1"]))
        .await;

    let transfer = world.transfer("TR1").await;
    assert_eq!(transfer.state, "FAILED");
    assert_eq!(
        transfer.messages,
        [
            "ReasonCode: R03",
            "ReasonDescription: No Account/Unable to Locate Account",
            "Declined because there is a record in FAILED_FUNDS for 'FNXTR1' transfer",
        ]
    );
    let raw: serde_json::Value = serde_json::from_str(&transfer.raw_json).unwrap();
    assert_eq!(raw["Funds Transfer Request ID"], "FNXTR1");
    assert_eq!(raw["Reason Code"], "R03");
    assert!(
        !transfer.raw_json.contains("123456789012"),
        "{}",
        transfer.raw_json
    );
    assert_eq!(world.reversals("TR1").await, "0");
    assert_eq!(world.status("TR1").await, "failed");
}

#[tokio::test]
async fn a_returned_refund_fails_that_refund() {
    let world = World::start().await;
    world.add(Payment::refund("TR1")).await;
    world
        .import("worldpay_funding", "f.csv", funding_rejects(&["TR1"]))
        .await;
    assert_eq!(world.state("TR1").await, "FAILED");
    assert_eq!(world.reversals("TR1").await, "0");
}

#[tokio::test]
async fn a_nacha_return_finds_its_transfer_by_trace_number() {
    let world = World::start().await;
    world
        .add(Payment::debit("TR1").ach_trace("231380100000017"))
        .await;
    let import = world
        .import(
            "nacha",
            "r.ach",
            Nacha::new().returned("231380100000017", "R01"),
        )
        .await;
    assert_eq!(count(import.totals.unwrap().reversed), 1, "{import:?}");
    assert_eq!(world.reversals("TR1").await, "1");
}

#[tokio::test]
async fn a_correction_moves_neither_money_nor_state_and_is_published_masked() {
    let world = World::start().await;
    world
        .add(Payment::debit("TR1").ach_trace("231380100000017"))
        .await;
    let file = Nacha::corrections().corrected("231380100000017", "C01", "998877665544");
    let import = world.import("nacha", "c.ach", file).await;
    assert_eq!(count(import.totals.unwrap().corrected), 1, "{import:?}");
    assert_eq!(
        (world.state("TR1").await, world.reversals("TR1").await),
        ("SUCCEEDED".into(), "0".into())
    );
    assert_eq!(world.status("TR1").await, "succeeded");
    assert!(!world.transfer("TR1").await.has_ach_return);

    let listed = world
        .client
        .clone()
        .list_returns(proto::ListReturnsRequest {
            transfer_id: "TR1".into(),
            ..proto::ListReturnsRequest::default()
        })
        .await
        .unwrap()
        .into_inner()
        .ach_returns;
    assert_eq!(listed[0].effect(), proto::Effect::Correct);
    assert_eq!(listed[0].corrected[0].field, "account");
    assert_eq!(listed[0].corrected[0].value, "***5544");
}

#[tokio::test]
async fn a_validation_failure_fails_a_pending_debit_without_a_return_code() {
    let world = World::start_with(|options| {
        options.returns.push_str(VALIDATION_SOURCE);
    })
    .await;
    world.add(Payment::debit("TR1").state("PENDING")).await;
    let file = "order,response,message\nFNXTR1,900,Invalid Bank Routing Number\n";
    let import = world.import("validation", "v.csv", file).await;
    assert_eq!(count(import.totals.unwrap().failed), 1, "{import:?}");
    let transfer = world.transfer("TR1").await;
    assert_eq!(transfer.state, "FAILED");
    assert_eq!(transfer.messages, ["Invalid Bank Routing Number"]);
    assert!(!transfer.has_ach_return);
    assert_eq!(world.status("TR1").await, "failed");
}

/// A mapped file of payments that never entered the network.
const VALIDATION_SOURCE: &str = r#"
[sources.validation]
format = "delimited"
match = ["order_id:trace_id"]
[sources.validation.profile]
name = "validation"
kind = "validation_failures"
direction = "debit"
[sources.validation.profile.columns]
order_id = "order"
code = "response"
description = "message"
"#;

#[tokio::test]
async fn the_same_file_twice_changes_nothing() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    let first = world
        .import("worldpay_returns", "r.csv", file.clone())
        .await;
    let again = world
        .send(
            "worldpay_returns",
            "other-name.csv",
            file,
            proto::WaitLevel::Applied,
        )
        .await
        .unwrap();
    assert!(again.duplicate_file);
    assert_eq!(again.import.unwrap().import_id, first.import_id);
    assert_eq!(world.journal_length().await, 1);
    assert_eq!(world.reversals("TR1").await, "1");
}

#[tokio::test]
async fn the_same_return_in_two_files_is_a_duplicate() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    world.add(Payment::debit("TR2")).await;
    let monday = Worldpay::new().returned("TR1", "R01");
    world
        .import("worldpay_returns", "r.csv", monday.clone())
        .await;
    let tuesday = world
        .import("worldpay_returns", "r.csv", monday.returned("TR2", "R01"))
        .await;
    assert!(tuesday.reissued, "the same name with other bytes");
    let totals = tuesday.totals.unwrap();
    assert_eq!((count(totals.duplicate), count(totals.reversed)), (1, 1));
    assert_eq!(world.reversals("TR1").await, "1");
}

#[tokio::test]
async fn two_different_returns_of_one_transfer_are_one_effect_and_one_hold() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR1", "R10");
    let import = world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(count(import.totals.unwrap().reversed), 1);
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::SecondReturn);
    assert_eq!(world.reversals("TR1").await, "1");
    assert_eq!(world.transfer("TR1").await.open_hold_ids, [hold.hold_id]);
}

#[tokio::test]
async fn an_unknown_id_is_held_and_resolves_itself_once_the_transfer_appears() {
    let world = World::start().await;
    let file = Worldpay::new().returned("TR1", "R01");
    let import = world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(import.state(), proto::ImportState::Applied);
    assert_eq!(
        world.hold().await.reason(),
        proto::HoldReason::UnknownTransfer
    );

    world.add(Payment::debit("TR1")).await;
    eventually("the return is applied", || async {
        world.status("TR1").await == "returned"
    })
    .await;
    assert_eq!(world.reversals("TR1").await, "1");
    assert!(world.holds().await.is_empty());
}

#[tokio::test]
async fn an_id_of_two_transfers_is_held_until_a_person_chooses() {
    let world = World::start().await;
    world.add(Payment::debit("TR1").payment_id("same")).await;
    world.add(Payment::debit("TR2").payment_id("same")).await;
    let file = "Case ID,Worldpay Payment ID,Merchant Order Number,Account Suffix,Reason Code,\
Reason Description,Date Issued,Date Received,Chargeback Currency,Chargeback Amt\n\
'1,'same,,789,R01,Insufficient Funds,11/16/2026,11/17/2026,USD,50.00\n";
    world.import("worldpay_returns", "r.csv", file).await;
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::AmbiguousTransfer);
    assert_eq!(hold.transfer_ids, ["TR1", "TR2"]);

    let action = proto::resolve_hold_request::Action::Retry(proto::RetryHold {
        transfer_id: "TR2".into(),
    });
    let ask = proto::ResolveHoldRequest {
        hold_id: hold.hold_id,
        actor: "ann".into(),
        note: "it is the second".into(),
        action: Some(action),
    };
    let closed = world
        .client
        .clone()
        .resolve_hold(ask.clone())
        .await
        .unwrap()
        .into_inner()
        .hold
        .unwrap();
    assert_eq!(closed.state(), proto::HoldState::Resolved);
    assert_eq!(closed.closed_by, "ann");
    eventually("it is applied", || async {
        world.status("TR2").await == "returned"
    })
    .await;
    assert_eq!(world.reversals("TR1").await, "0");
    let again = world
        .client
        .clone()
        .resolve_hold(ask)
        .await
        .unwrap()
        .into_inner()
        .hold
        .unwrap();
    assert_eq!(again, closed, "the same action again answers the same");
}

#[tokio::test]
async fn an_amount_that_differs_on_one_row_is_held() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    world.add(Payment::debit("TR2")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R01")
        .amount("50.01");
    world.import("worldpay_returns", "r.csv", file).await;
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::AmountDiffers);
    assert!(hold.detail.contains("USD 50.01") && hold.detail.contains("USD 50.00"));
    assert_eq!(world.reversals("TR1").await, "1");
    assert_eq!(world.reversals("TR2").await, "0");
}

#[tokio::test]
async fn a_dismissed_hold_has_no_effect_and_keeps_who_and_why() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01").amount("50.01");
    world.import("worldpay_returns", "r.csv", file).await;
    let mut ask = proto::ResolveHoldRequest {
        hold_id: world.hold().await.hold_id,
        actor: "ann".into(),
        note: String::new(),
        action: Some(proto::resolve_hold_request::Action::Dismiss(
            proto::DismissHold {},
        )),
    };
    let refused = world
        .client
        .clone()
        .resolve_hold(ask.clone())
        .await
        .unwrap_err();
    assert_eq!(
        refused.code(),
        tonic::Code::InvalidArgument,
        "a reason is required"
    );
    ask.note = "the bank's mistake".into();
    let hold = world
        .client
        .clone()
        .resolve_hold(ask)
        .await
        .unwrap()
        .into_inner()
        .hold
        .unwrap();
    assert_eq!(
        (hold.state(), hold.note.as_str()),
        (proto::HoldState::Dismissed, "the bank's mistake")
    );
    assert_eq!(world.journal_length().await, 0);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_keeps_nothing() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR1", "R01")
        .case_id("70000");
    let header = proto::ImportFileHeader {
        source: "worldpay_returns".into(),
        file_name: "r.csv".into(),
        wait: 0,
        dry_run: true,
    };
    let import = world
        .send_parts(header, file.into())
        .await
        .unwrap()
        .import
        .unwrap();
    assert_eq!(import.state(), proto::ImportState::DryRun);
    let totals = import.totals.unwrap();
    assert_eq!((count(totals.reversed), count(totals.duplicate)), (1, 1));
    assert_eq!(world.journal_length().await, 0);
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    assert_eq!(world.reversals("TR1").await, "0");
    let spooled = std::fs::read_dir(world.options.data.join("spool"))
        .unwrap()
        .count();
    assert_eq!(spooled, 0, "the file of a dry run is deleted");
}

#[tokio::test]
async fn a_transfer_funded_between_lookup_and_apply_ends_as_reverse_and_the_mirror_never_sees_return()
 {
    let world = World::start().await;
    world.add(Payment::debit("TR1").state("PENDING")).await;
    // The gateway's owner funds it in a transaction that is open while the entry is decided:
    // readers still see PENDING, and the adapter has to wait.
    let mut funding = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("UPDATE transfers SET state = 'SUCCEEDED' WHERE id = 'TR1'")
        .execute(&mut *funding)
        .await
        .unwrap();
    let decided = world
        .send(
            "worldpay_returns",
            "r.csv",
            Worldpay::new().returned("TR1", "R01"),
            proto::WaitLevel::Decided,
        )
        .await
        .unwrap()
        .import
        .unwrap();
    assert_eq!(
        count(decided.totals.unwrap().returned),
        1,
        "decided on PENDING"
    );
    funding.commit().await.unwrap();

    eventually("the superseding row is applied", || async {
        world.status("TR1").await == "returned"
    })
    .await;
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    assert_eq!(world.reversals("TR1").await, "1");
    assert_eq!(world.journal_length().await, 2);
    let found = world.transfer("TR1").await.ach_return.unwrap();
    assert_eq!(
        (found.effect(), found.supersedes_position),
        (proto::Effect::Reverse, 1)
    );
    let versions = "SELECT CAST(lock_version AS TEXT) FROM transactions WHERE transfer_id = ?";
    assert_eq!(
        world.in_rallypay(versions, "TR1").await,
        "1",
        "changed once, not twice"
    );
}

#[tokio::test]
async fn a_row_that_the_mirror_refuses_is_held_and_repeated_once_a_person_has_mended_it() {
    let world = World::start().await;
    for id in ["TR1", "TR2", "TR3"] {
        world.add(Payment::debit(id)).await;
    }
    sqlx::query(
        "CREATE TRIGGER frozen BEFORE UPDATE ON transactions WHEN OLD.transfer_id = 'TR2' \
         BEGIN SELECT RAISE(ABORT, 'account is frozen'); END",
    )
    .execute(&world.rallypay)
    .await
    .unwrap();
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R01")
        .returned("TR3", "R01");
    let import = world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(import.state(), proto::ImportState::Applied);
    assert_eq!(import.databases[1].state(), proto::DatabaseState::Exception);
    assert_eq!(
        world.status("TR3").await,
        "returned",
        "one bad row never stops the rest"
    );
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::DatabaseRefused);
    assert_eq!(hold.database, "rallypay");
    assert!(hold.detail.contains("account is frozen"), "{}", hold.detail);

    sqlx::query("DROP TRIGGER frozen")
        .execute(&world.rallypay)
        .await
        .unwrap();
    let ask = proto::ResolveHoldRequest {
        hold_id: hold.hold_id,
        actor: "ann".into(),
        note: "unfrozen".into(),
        action: Some(proto::resolve_hold_request::Action::Retry(
            proto::RetryHold::default(),
        )),
    };
    world.client.clone().resolve_hold(ask).await.unwrap();
    eventually("it is applied", || async {
        world.status("TR2").await == "returned"
    })
    .await;
    assert_eq!(
        world.reversals("TR2").await,
        "1",
        "the gateway had it already"
    );
}

#[tokio::test]
async fn a_gateway_restored_from_an_older_copy_catches_up_by_itself() {
    let world = World::start().await;
    for id in ["TR1", "TR2"] {
        world.add(Payment::debit(id)).await;
    }
    world
        .import(
            "worldpay_returns",
            "1.csv",
            Worldpay::new().returned("TR1", "R01"),
        )
        .await;
    // The owner restores a backup: rows and cursor go back together.
    for sql in [
        "DELETE FROM transfers WHERE parent_id IS NOT NULL",
        "DELETE FROM echeck_cursor",
    ] {
        sqlx::query(sql).execute(&world.gateway).await.unwrap();
    }
    assert_eq!(world.reversals("TR1").await, "0");
    // The next batch is refused by the cursor, and the feed begins again from where it stands.
    world
        .import(
            "worldpay_returns",
            "2.csv",
            Worldpay::new().returned("TR2", "R01"),
        )
        .await;
    eventually("it has caught up", || async {
        world.reversals("TR1").await == "1"
    })
    .await;
    eventually("and goes on", || async {
        world.reversals("TR2").await == "1"
    })
    .await;
    assert_eq!(world.journal_length().await, 2);
}
