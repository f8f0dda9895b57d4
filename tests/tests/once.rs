//! Each return exactly once: repeats, holds, conflicts, and databases that refuse or were
//! restored.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay, eventually};

fn count(tally: Option<proto::Tally>) -> u64 {
    tally.unwrap_or_default().count
}

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
    assert_eq!(again.file_import.unwrap().import_id, first.import_id);
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

#[tokio::test(flavor = "multi_thread")]
async fn two_files_with_the_same_returns_at_once_have_each_effect_once() {
    let world = World::start_with(|options| {
        // Many small batches, so that the two imports meet often.
        options.returns.push_str("\n[import]\nbatch_size = 7\n");
    })
    .await;
    // On a busy machine one import may be over before the other begins.
    for attempt in 0..10 {
        if import_twice_at_once(&world, attempt).await {
            return;
        }
    }
    panic!("the imports never met");
}

/// Imports the same returns by two files at once, and gives whether the imports met.
async fn import_twice_at_once(world: &World, attempt: u64) -> bool {
    const RETURNS: u64 = 300;
    let mut forward = Worldpay::new();
    for number in 0..RETURNS {
        let id = format!("TR{attempt}x{number}");
        world.add(Payment::debit(&id)).await;
        let case_id = format!("C{attempt}x{number}");
        forward = forward.returned(&id, "R01").case_id(&case_id);
    }
    // The same returns in another order: other bytes, so another file.
    let text = forward.text();
    let (header, rows) = text.split_once('\n').unwrap();
    let backward: Vec<&str> = rows.lines().rev().collect();
    let backward = format!("{header}\n{}\n", backward.join("\n"));
    let (one, other) = tokio::join!(
        world.import("worldpay_returns", "forward.csv", text.clone()),
        world.import("worldpay_returns", "backward.csv", backward),
    );
    let (one, other) = (one.totals.unwrap(), other.totals.unwrap());
    assert_eq!(count(one.reversed) + count(other.reversed), RETURNS);
    assert_eq!(count(one.duplicate) + count(other.duplicate), RETURNS);
    assert_eq!(world.journal_length().await, RETURNS * (attempt + 1));
    for number in 0..RETURNS {
        assert_eq!(world.reversals(&format!("TR{attempt}x{number}")).await, "1");
    }
    count(one.duplicate) > 0 && count(other.duplicate) > 0
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

    let action = proto::resolve_hold_request::Action::RetryHold(proto::RetryHold {
        transfer_id: "TR2".into(),
    });
    let ask = proto::ResolveHoldRequest {
        hold_id: hold.hold_id,
        request_id: String::new(),
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
    assert_eq!(closed.closed_by, "anonymous");
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
        request_id: String::new(),
        note: String::new(),
        action: Some(proto::resolve_hold_request::Action::DismissHold(
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
        ..proto::ImportFileHeader::default()
    };
    let import = world
        .send_parts(header, file.into())
        .await
        .unwrap()
        .file_import
        .unwrap();
    assert_eq!(import.state(), proto::ImportState::DryRun);
    let totals = import.totals.unwrap();
    assert_eq!((count(totals.reversed), count(totals.duplicate)), (1, 1));
    assert_eq!(world.journal_length().await, 0);
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    assert_eq!(world.reversals("TR1").await, "0");
    let spooled = echeck_tests::spooled(&world.options.data.join("spool"));
    assert_eq!(spooled.len(), 0, "the file of a dry run is deleted");
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
        .file_import
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
        request_id: String::new(),
        note: "unfrozen".into(),
        action: Some(proto::resolve_hold_request::Action::RetryHold(
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
