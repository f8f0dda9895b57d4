//! What a return, a correction or a failure does to a payment, end to end: a file in, both
//! databases right.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, VALIDATION_SOURCE, World, Worldpay, funding_rejects};

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
    assert_eq!(listed[0].corrected_fields[0].field, "account");
    assert_eq!(listed[0].corrected_fields[0].value, "***5544");
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

/// Every file below `folder`.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[tokio::test]
async fn the_account_numbers_of_imported_files_are_nowhere_on_disk_in_clear() {
    let world = World::start().await;
    world
        .add(Payment::debit("TR1").ach_trace("231380100000017"))
        .await;
    world.add(Payment::payout("TR2")).await;
    let corrections = Nacha::corrections().corrected("231380100000017", "C01", "998877665544");
    world.import("nacha", "c.ach", corrections).await;
    world
        .import(
            "nacha",
            "r.ach",
            Nacha::new().returned("231380100000017", "R01"),
        )
        .await;
    // The bank writes the account into its free text, and the entry is held.
    let talkative = Nacha::new().returned("231380100000999", "R04").text();
    let talkative = talkative.replace("09100001             ", "09100001ACC 556677889");
    assert!(talkative.contains("ACC 556677889"));
    world.import("nacha", "u.ach", talkative).await;
    assert_eq!(
        world.hold().await.reason(),
        proto::HoldReason::UnknownTransfer
    );
    world
        .import("worldpay_funding", "f.csv", funding_rejects(&["TR2"]))
        .await;

    let spool = world.options.data.join("spool");
    echeck_tests::eventually("every file is archived and reported", || async {
        echeck_tests::spooled(&spool).is_empty()
    })
    .await;
    let on_disk = files(&world.options.data);
    let reports = on_disk
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "csv"));
    assert_eq!(reports.count(), 4);
    assert!(
        on_disk.len() > 6,
        "databases, their logs, and the bucket: {on_disk:?}"
    );
    // The account of the entries, the one of the payout, and the corrected one.
    for number in ["556677889", "123456789012", "998877665544"] {
        for path in &on_disk {
            let bytes = std::fs::read(path).unwrap();
            let found = bytes
                .windows(number.len())
                .any(|window| window == number.as_bytes());
            assert!(!found, "{number} is in {}", path.display());
        }
    }
}
