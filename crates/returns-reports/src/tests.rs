//! The reporter on a folder, on a real S3 server, and on a bucket that lies.

mod lying;
mod world;

use std::io::Read as _;

use ach::code::ReturnCode;
use ach::decision::{Effect, HoldReason};
use chrono::TimeDelta;
use echeck_test_fixtures::{eventually, now, row};
use returns_model::follower::ExceptionKind;
use returns_model::incident::{Area, Subject};
use returns_model::journal::Relation;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::tests::lying::Lying;
use crate::tests::world::{Entries, World, column};

#[tokio::test]
async fn a_received_file_is_archived_at_once_as_it_is_in_the_spool_and_staff_can_open_it() {
    let staff = age::x25519::Identity::generate();
    let world = World::start_for(&[staff.to_public()]).await;
    let (import_id, spool_name) = world.receive(b"a return").await;
    let archive = world.archived(&import_id).await;
    // The name says which key opens it.
    let key = spool_name.rsplit('.').nth(1).unwrap();
    assert!(
        archive.key.starts_with("raw/worldpay/2024/10/04/imp_")
            && archive.key.ends_with(&format!("-returns.csv.{key}.age")),
        "{archive:?}"
    );
    let there = world.in_bucket(&archive.key);
    assert_eq!(there, std::fs::read(world.spool.path(&spool_name)).unwrap());
    assert_eq!(archive.size_bytes, there.len() as u64);
    let opened = age::Decryptor::new(there.as_slice())
        .unwrap()
        .decrypt(std::iter::once(&staff as &dyn age::Identity));
    let mut text = String::new();
    opened.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "a return");
}

#[tokio::test]
async fn a_file_that_was_refused_whole_is_archived_without_a_report_and_leaves_the_spool() {
    let world = World::start().await;
    let (import_id, spool_name) = world.receive(b"no return").await;
    world.archived(&import_id).await;
    assert!(world.spool.path(&spool_name).exists(), "it is not over");
    let why = ach::format::FileRejected {
        looks_like: None,
        at: None,
        field: None,
        why: "no".into(),
    };
    assert!(
        world
            .store
            .reject_import(&import_id, &why, now())
            .await
            .unwrap()
    );
    let files = world.done(&import_id).await;
    assert_eq!(files.report, None);
    assert!(!world.spool.path(&spool_name).exists());
}

#[tokio::test]
async fn every_entry_has_one_line_in_the_order_of_the_file_and_everything_ties_out() {
    let world = World::start().await;
    let mut entries = Entries::default();
    entries.duplicate();
    entries.row(Effect::Reverse);
    entries.rejected("amount", Some(70));
    entries.hold(HoldReason::UnknownTransfer);
    entries.row(Effect::Return);
    entries.row(Effect::Correct);
    entries.row(Effect::Fail);
    let (import_id, spool_name) = world.apply(entries, &[]).await;
    let files = world.done(&import_id).await;
    let report = files.report.unwrap();
    assert!(report.ties_out, "{}", report.totals);
    assert_eq!(
        report.key,
        format!("reports/worldpay/2024/10/04/{import_id}.csv")
    );
    assert_eq!(report.rows, 7);
    let lines = world.lines(&report.key);
    assert_eq!(
        column(&lines, "outcome"),
        [
            "duplicate",
            "reversed",
            "rejected:amount",
            "held:unknown_transfer",
            "returned",
            "corrected",
            "failed"
        ]
    );
    assert_eq!(
        column(&lines, "line_number"),
        ["1", "2", "3", "4", "5", "6", "7"]
    );
    assert_eq!(
        column(&lines, "return_amount_minor"),
        ["500", "500", "70", "500", "500", "500", "500"]
    );
    assert_eq!(column(&lines, "return_amount")[2], "0.70");
    assert_eq!(
        column(&lines, "rallypay_status"),
        [
            "skipped", "applied", "skipped", "skipped", "applied", "skipped", "applied"
        ]
    );
    assert_eq!(column(&lines, "gateway_transaction_id")[1], "'TR1");
    assert_eq!(column(&lines, "new_state")[4], "RETURNED");
    assert_eq!(column(&lines, "return_title")[1], "Insufficient Funds");
    assert!(column(&lines, "exception_text")[2].contains("no amount"));

    let beside: ReportSummary =
        serde_json::from_slice(&world.in_bucket(&report.totals_key)).unwrap();
    assert_eq!(
        serde_json::from_str::<ReportSummary>(&report.totals).unwrap(),
        beside
    );
    assert_eq!(beside.report.sha256, report.sha256);
    assert_eq!(beside.tie_out.read.count, 7);
    assert_eq!(beside.tie_out.read.amount_minor, 3_070);
    assert_eq!(beside.tie_out.applied.count, 4);
    assert!(!world.spool.path(&spool_name).exists());
}

#[tokio::test]
async fn what_may_be_dishonored_is_said_on_its_own_line_and_on_no_other() {
    let world = World::start().await;
    let mut entries = Entries::default();
    entries.row(Effect::Reverse);
    entries.hold(HoldReason::AmountDiffers);
    entries.row(Effect::Return);
    entries.mark(1, ReturnCode::R69, "03");
    entries.mark(2, ReturnCode::R68, "");
    let (import_id, _) = world.apply(entries, &[]).await;
    let files = world.done(&import_id).await;
    let report = files.report.unwrap();
    assert!(report.ties_out, "{}", report.totals);
    let lines = world.lines(&report.key);
    assert_eq!(column(&lines, "dishonor_code"), ["", "R69", "R68"]);
    assert_eq!(column(&lines, "dishonor_fields"), ["", "'03", ""]);
    let until = "2024-10-11";
    assert_eq!(column(&lines, "dishonor_until"), ["", until, until]);
    assert_eq!(column(&lines, "attempts_used"), ["1+", "", "1+"]);
}

#[tokio::test]
async fn an_import_without_entries_has_a_report_with_a_header() {
    let world = World::start().await;
    let (import_id, _) = world.apply(Entries::default(), &[]).await;
    let report = world.done(&import_id).await.report.unwrap();
    assert_eq!((report.rows, report.ties_out), (0, true));
    let text = String::from_utf8(world.in_bucket(&report.key)).unwrap();
    assert!(text.starts_with("import_id,finished_at,source,file_name,"));
    assert_eq!(text.lines().count(), 1);
}

#[tokio::test]
async fn hostile_text_runs_in_no_spreadsheet_and_account_numbers_are_tails() {
    let world = World::start().await;
    let mut entries = Entries::default();
    let one = entries.row(Effect::Return);
    one.entry.keys.payment_id = Some("00839976569896098".into());
    one.entry.description = Some("=HYPERLINK(\"http://x\",\"y\"),\n\"z\"".into());
    one.entry.company_name = Some("@SUM(A1)".into());
    one.entry.account_tail = ach::entry::AccountTail::of("123456789012");
    let (import_id, _) = world.apply(entries, &[]).await;
    let report = world.done(&import_id).await.report.unwrap();
    assert!(report.ties_out);
    let lines = world.lines(&report.key);
    assert_eq!(
        column(&lines, "acquirer_payment_id"),
        ["'00839976569896098"]
    );
    assert_eq!(
        column(&lines, "acquirer_reason"),
        ["'=HYPERLINK(\"http://x\",\"y\"), \"z\""]
    );
    assert_eq!(column(&lines, "merchant_name"), ["'@SUM(A1)"]);
    assert_eq!(column(&lines, "account_last_digits"), ["***9012"]);
}

#[tokio::test]
async fn a_line_shows_the_decision_that_stands_and_what_went_before() {
    let world = World::start().await;
    let mut entries = Entries::default();
    for _ in 0..4 {
        entries.row(Effect::Return);
    }
    entries.hold(HoldReason::UnknownTransfer);
    let (import_id, _) = world.decide(entries).await;
    // Row 1 had moved on and is decided again by row 5; row 2 was refused by the gateway and
    // waits; row 3 was refused by the mirror; row 4 stood by another row already.
    let exceptions = [
        ("gateway", 1, ExceptionKind::MovedOn),
        ("gateway", 2, ExceptionKind::Refused),
        ("rallypay", 3, ExceptionKind::Refused),
        ("gateway", 4, ExceptionKind::MovedOn),
    ];
    world.pass(4, &exceptions).await;
    let again = returns_model::journal::Row {
        relation: Some(Relation::Supersedes { position: 1 }),
        effect: world::row_effect(Effect::Reverse),
        ..row(&import_id, "TR0")
    };
    world.handle("gateway", 1, vec![again], Vec::new()).await;
    world
        .handle(
            "gateway",
            2,
            Vec::new(),
            vec![world.row_hold(&import_id, "gateway", 2)],
        )
        .await;
    world
        .handle(
            "rallypay",
            3,
            Vec::new(),
            vec![world.row_hold(&import_id, "rallypay", 3)],
        )
        .await;
    world.handle("gateway", 4, Vec::new(), Vec::new()).await;
    // The hold of the last entry is resolved by row 6.
    let resolved = returns_model::journal::Row {
        ordinal: 4,
        actor: Some("ann".into()),
        ..row(&import_id, "TR4")
    };
    world
        .resolve(&returns_model::ids::hold_id(&import_id, 4), vec![resolved])
        .await;
    world.finish(6).await;

    let report = world.reported(&import_id).await;
    assert!(report.ties_out, "{}", report.totals);
    let lines = world.lines(&report.key);
    assert_eq!(
        column(&lines, "outcome"),
        [
            "reversed",
            "held:database_refused",
            "returned",
            "duplicate",
            "returned"
        ]
    );
    assert_eq!(
        column(&lines, "gateway_status"),
        [
            "applied",
            "exception:refused",
            "applied",
            "exception:moved_on",
            "applied"
        ]
    );
    assert_eq!(
        column(&lines, "rallypay_status"),
        [
            "applied",
            "skipped",
            "exception:refused",
            "skipped",
            "applied"
        ]
    );
    let notes = column(&lines, "exception_text");
    assert!(
        notes[0].contains("journal row 1 did not take effect") && notes[0].contains("by row 5"),
        "{notes:?}"
    );
    assert!(notes[4].contains("resolved by ann"), "{notes:?}");
    assert_eq!(column(&lines, "match_rule")[4], "person");
}

#[tokio::test]
async fn a_row_said_again_to_a_mirror_counts_as_applied_once_it_has_passed() {
    let world = World::start().await;
    let mut entries = Entries::default();
    entries.row(Effect::Return);
    let (import_id, _) = world.decide(entries).await;
    world
        .pass(1, &[("rallypay", 1, ExceptionKind::Refused)])
        .await;
    let hold = world.row_hold(&import_id, "rallypay", 1);
    let hold_id = hold.hold_id.clone();
    world.handle("rallypay", 1, Vec::new(), vec![hold]).await;
    world.finish(1).await;
    let again = returns_model::journal::Row {
        relation: Some(Relation::Repeats {
            position: 1,
            database: "rallypay".into(),
        }),
        ..row(&import_id, "TR0")
    };
    world.resolve(&hold_id, vec![again]).await;
    world.start_reporter();
    let files = async || world.store.files_of(&import_id).await.unwrap();
    eventually("it is archived", async || files().await.archive.is_some()).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let files = files().await;
    assert_eq!(
        (files.report, files.fault),
        (None, None),
        "a row is on its way"
    );
    world.pass(2, &[]).await;
    let report = world.reported(&import_id).await;
    assert!(report.ties_out, "{}", report.totals);
    assert_eq!(
        column(&world.lines(&report.key), "rallypay_status"),
        ["applied"]
    );
}

#[tokio::test]
async fn many_lines_are_read_window_by_window() {
    let world = World::start().await;
    let mut entries = Entries::default();
    for number in 0..2_500 {
        match number % 5 {
            0 => entries.duplicate(),
            1 => entries.hold(HoldReason::AmountDiffers),
            2 => entries.rejected("code", None),
            _ => drop(entries.row(Effect::Return)),
        }
    }
    let (import_id, _) = world.apply(entries, &[]).await;
    let report = world.done(&import_id).await.report.unwrap();
    assert!(report.ties_out, "{}", report.totals);
    assert_eq!(report.rows, 2_500);
    let lines = world.lines(&report.key);
    let numbers: Vec<u64> = column(&lines, "line_number")
        .iter()
        .map(|n| n.parse().unwrap())
        .collect();
    assert!(numbers.is_sorted());
}

#[tokio::test]
async fn trouble_is_reported_at_once_and_cleared_when_what_failed_has_succeeded() {
    let mut world = World::new(&[]).await;
    let folder = world.bucket_folder();
    let (first, _) = world.receive(b"one").await;
    std::fs::remove_dir_all(&folder).unwrap();
    world.start_reporter();
    let problem = world.problem().await;
    assert_eq!(problem.subject, Subject::Bucket);
    assert_eq!(problem.cause.kind(), "BUCKET_MISSING");
    assert_eq!(problem.import_id.as_deref(), Some(first.as_str()));
    assert!(problem.next_try_at.unwrap() > problem.at);
    let kept = world.store.files_of(&first).await.unwrap();
    eventually("the fault is kept", async || {
        world.store.files_of(&first).await.unwrap().fault.is_some()
    })
    .await;
    assert_eq!(kept.archive, None);
    std::fs::create_dir_all(&folder).unwrap();
    world.archived(&first).await;
    let (subject, area) = world.cleared().await;
    assert_eq!((subject, area), (Subject::Bucket, Area::Bucket));
    let files = world.store.files_of(&first).await.unwrap();
    assert_eq!(files.fault, None);
    assert!(files.attempts > 0);
}

#[tokio::test]
async fn one_imports_trouble_does_not_stop_another() {
    let mut world = World::new(&[]).await;
    let (lost, spool_name) = world.receive(b"lost").await;
    std::fs::remove_file(world.spool.path(&spool_name)).unwrap();
    let (fine, _) = world.receive(b"fine").await;
    world.start_reporter();
    world.archived(&fine).await;
    let problem = world.problem().await;
    assert_eq!(problem.cause.kind(), "SPOOL_FAILED");
    assert_eq!(problem.subject, Subject::Bucket);
    assert_eq!(problem.import_id.as_deref(), Some(lost.as_str()));
}

#[tokio::test]
async fn an_import_whose_row_cannot_be_read_does_not_stop_another() {
    let mut world = World::new(&[]).await;
    world.receive(b"strange").await;
    world
        .execute("UPDATE imports SET totals = 'no totals' WHERE rowid = 1")
        .await;
    let (fine, _) = world.receive(b"fine").await;
    world.start_reporter();
    world.archived(&fine).await;
    let problem = world.problem().await;
    assert_eq!(problem.subject, Subject::Store);
    let said = problem.cause.headline();
    assert!(said.contains("unreadable"), "{said}");
}

#[tokio::test]
async fn an_entry_that_is_not_accounted_for_is_reported_and_the_file_is_kept() {
    let mut world = World::new(&[]).await;
    let mut entries = Entries::default();
    entries.row(Effect::Return);
    entries.duplicate();
    let (import_id, spool_name) = world.apply(entries, &[]).await;
    world.execute("DELETE FROM import_duplicates").await;
    world.start_reporter();
    let problem = world.problem().await;
    assert_eq!(problem.subject, Subject::Import(import_id.clone()));
    assert_eq!(problem.cause.kind(), "DOES_NOT_TIE_OUT");
    let said = problem.cause.headline();
    assert!(said.contains("entry 2 of the file is neither"), "{said}");
    assert!(said.contains("2 entries with 1000 minor units"), "{said}");
    let report = world.reported(&import_id).await;
    assert!(!report.ties_out);
    assert_eq!(column(&world.lines(&report.key), "outcome"), ["returned"]);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(world.spool.path(&spool_name).exists(), "a person must look");
    let files = world.store.files_of(&import_id).await.unwrap();
    assert!(!files.done && files.fault.is_some(), "{files:?}");
    assert!(world.signals().is_empty(), "it is reported once");
}

#[tokio::test]
async fn a_report_that_was_tampered_with_is_found_and_written_again_under_the_next_key() {
    let mut world = World::new(&[]).await;
    let mut entries = Entries::default();
    entries.row(Effect::Return);
    let (import_id, _) = world.apply(entries, &[]).await;
    let bucket = Lying::bucket(&world.bucket_folder(), |bytes| {
        String::from_utf8(bytes)
            .unwrap()
            .replace(",500,", ",501,")
            .into_bytes()
    });
    world.start_reporter_on(bucket);
    let problem = world.problem().await;
    let Cause::ReportWrong { key, what } = &problem.cause else {
        panic!("{problem:?}")
    };
    assert_eq!(*key, format!("reports/worldpay/2024/10/04/{import_id}.csv"));
    assert!(
        what.contains("returned: 1 rows with 500 minor units were written, 1 with 501"),
        "{what}"
    );
    assert_eq!(problem.subject, Subject::Bucket);
    let report = world.reported(&import_id).await;
    assert_eq!(
        report.key,
        format!("reports/worldpay/2024/10/04/{import_id}-2.csv")
    );
    assert_eq!(
        column(&world.lines(&report.key), "return_amount_minor"),
        ["500"]
    );
    assert_eq!(world.cleared().await, (Subject::Bucket, Area::Bucket));
}

#[tokio::test]
async fn one_changed_byte_in_words_is_found_too() {
    let mut world = World::new(&[]).await;
    let mut entries = Entries::default();
    entries.row(Effect::Return);
    let (_, _) = world.apply(entries, &[]).await;
    let bucket = Lying::bucket(&world.bucket_folder(), |bytes| {
        String::from_utf8(bytes)
            .unwrap()
            .replace("Insufficient", "Ynsufficient")
            .into_bytes()
    });
    world.start_reporter_on(bucket);
    let Cause::ReportWrong { what, .. } = world.problem().await.cause else {
        panic!("it is not the report that was written")
    };
    assert!(what.contains("SHA-256"), "{what}");
}

#[tokio::test]
async fn what_was_put_before_a_crash_is_found_and_not_put_again() {
    let world = World::new(&[]).await;
    let mut entries = Entries::default();
    entries.row(Effect::Return);
    let (import_id, _) = world.apply(entries, &[]).await;
    world.start_reporter();
    let first = world.done(&import_id).await;
    // As after a crash between the put and its record.
    world
        .restore_spool_file(&import_id, first.archive.as_ref().unwrap())
        .await;
    world.execute("DELETE FROM import_files").await;
    world.execute("UPDATE imports SET files_done = 0").await;
    let again = world.done(&import_id).await;
    assert_eq!(again.archive.unwrap().key, first.archive.unwrap().key);
    assert_eq!(again.report.unwrap().key, first.report.unwrap().key);
    assert_eq!(world.objects(), 3, "file, report and totals");
}

#[tokio::test]
async fn two_replicas_write_one_report() {
    let world = World::new(&[]).await;
    let mut imports = Vec::new();
    for number in 0..6 {
        let mut entries = Entries::numbered(number);
        entries.row(Effect::Return);
        entries.row(Effect::Reverse);
        imports.push(world.apply(entries, &[]).await.0);
    }
    world.start_reporter();
    world.start_reporter_named("b");
    for import_id in &imports {
        world.done(import_id).await;
    }
    assert_eq!(world.objects(), 3 * imports.len());
}

#[tokio::test]
async fn on_a_real_s3_server_everything_is_as_on_a_folder() {
    let there = echeck_test_servers::s3::bucket().await;
    let settings =
        echeck_service::config::Settings::from_toml(&there.section(&there.full)).unwrap();
    let read = crate::bucket::BucketSettings::read(&settings.root()).unwrap();
    let world = World::new(&[]).await;
    let mut entries = Entries::default();
    entries.row(Effect::Return);
    entries.duplicate();
    let (import_id, _) = world.apply(entries, &[]).await;
    world.start_reporter_on(crate::bucket::Bucket::open(&read).unwrap());
    let report = world.done(&import_id).await.report.unwrap();
    assert!(report.ties_out);
    let text = there.read(&report.key).await;
    assert_eq!(text.lines().count(), 3);
    assert!(crate::bucket::Digest::of(text.as_bytes()).sha256 == report.sha256);
}
