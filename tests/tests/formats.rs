//! Every format from `echeck sample` to both databases and the report, with the profiles of
//! docs/formats.md.

use std::path::Path;
use std::process::Command;

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay, binary, eventually};

const DOCUMENT: &str = include_str!("../../docs/formats.md");
const ENTRIES: usize = 40;

/// Runs `echeck sample` in the world of seed 7.
fn sample(what: &str, out: &Path) {
    let entries = ENTRIES.to_string();
    let done = Command::new(binary("echeck"))
        .args(["sample", what, "--seed", "7", "--today", "2026-11-20"])
        .args(["--payments", "1000", "--entries", &entries, "--out"])
        .arg(out)
        .status()
        .unwrap();
    assert!(done.success(), "echeck sample {what}");
}

/// The settings that the document shows.
fn documented() -> String {
    let blocks = DOCUMENT.split("```toml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

async fn world() -> World {
    World::start_with(|options| {
        sample("world", &options.data);
        options.returns.push_str(&documented());
        options.returns.push_str(
            "\n[sources.bank]\nformat = \"nacha\"\n[sources.iso]\nformat = \"iso20022\"\n\
             [sources.x12]\nformat = \"x12\"\n[sources.balances]\nformat = \"bai2\"\n",
        );
    })
    .await
}

fn file(what: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    sample(what, &path);
    std::fs::read(path).unwrap()
}

/// How many payments of both databases came back.
async fn came_back(world: &World) -> (i64, i64) {
    let reversed = "SELECT (SELECT COUNT(*) FROM transfers WHERE subtype = 'SYSTEM') + \
                    (SELECT COUNT(*) FROM transfers WHERE state = 'FAILED')";
    let in_gateway = sqlx::query_scalar(reversed).fetch_one(&world.gateway);
    let returned = "SELECT COUNT(*) FROM transactions WHERE failure_code IS NOT NULL";
    let in_rallypay = sqlx::query_scalar(returned).fetch_one(&world.rallypay);
    (in_gateway.await.unwrap(), in_rallypay.await.unwrap())
}

/// Whether the report of an import ties out.
async fn ties_out(world: &World, import_id: &str) -> bool {
    let ask = || proto::GetReportRequest {
        import_id: import_id.to_owned(),
    };
    eventually("it is reported", || async {
        world.client.clone().get_report(ask()).await.is_ok()
    })
    .await;
    let mut parts = world
        .client
        .clone()
        .get_report(ask())
        .await
        .unwrap()
        .into_inner();
    let first = parts.message().await.unwrap().and_then(|one| one.part);
    match first {
        Some(proto::get_report_response::Part::Header(header)) => header.ties_out,
        other => panic!("the header comes first, not {other:?}"),
    }
}

/// Imports a file of the world in one format; the same file in another format then has nothing new.
async fn check(format: &str, source: &str) {
    let world = world().await;
    let before = came_back(&world).await;
    let import = world.import(source, "returns", file(format)).await;
    let totals = import.totals.unwrap();
    assert_eq!(totals.read.unwrap().count, ENTRIES as u64, "{import:?}");
    assert_eq!(totals.held.unwrap().count, 0, "{:?}", world.holds().await);
    assert!(ties_out(&world, &import.import_id).await);
    let after = came_back(&world).await;
    assert_eq!(after.0 - before.0, ENTRIES as i64, "the gateway");
    assert_eq!(after.1 - before.1, ENTRIES as i64, "RallyPay");

    let again = world.import("bank", "returns.ach", file("nacha")).await;
    let duplicate = again.totals.unwrap().duplicate.unwrap().count;
    assert_eq!(duplicate, ENTRIES as u64, "the same returns as NACHA");
    assert_eq!(came_back(&world).await, after);
}

#[tokio::test]
async fn a_statement_of_iso_20022_reaches_both_databases() {
    check("iso20022", "iso").await;
}

#[tokio::test]
async fn an_x12_827_reaches_both_databases() {
    check("x12", "x12").await;
}

#[tokio::test]
async fn json_reaches_both_databases() {
    check("json", "processor_json").await;
}

#[tokio::test]
async fn a_workbook_reaches_both_databases() {
    check("excel", "processor_excel").await;
}

#[tokio::test]
async fn a_report_of_balances_ties_out_against_the_file_that_decides() {
    let world = world().await;
    let before = came_back(&world).await;
    let report = file("bai2");
    let early = world.import("balances", "early.bai", report.clone()).await;
    let held = early.totals.unwrap().held.unwrap().count;
    assert_eq!(held, ENTRIES as u64, "no file has said so yet");
    assert_eq!(came_back(&world).await, before, "it changes nothing");
    assert_eq!(world.journal_length().await, 0);
    let holds = world.holds().await;
    assert!(
        holds
            .iter()
            .all(|hold| hold.reason() == proto::HoldReason::NotConfirmed)
    );

    world.import("bank", "returns.ach", file("nacha")).await;
    eventually("each is confirmed", || async {
        world.holds().await.is_empty()
    })
    .await;
    let mut late = report;
    late.extend(b"\n");
    let late = world.import("balances", "late.bai", late).await;
    let duplicate = late.totals.unwrap().duplicate.unwrap().count;
    assert_eq!(duplicate, ENTRIES as u64);
    let after = came_back(&world).await;
    assert_eq!(after.0 - before.0, ENTRIES as i64);
}

#[tokio::test]
async fn a_questionable_return_says_so_and_a_first_presentment_is_claimed_only_of_a_conforming_source()
 {
    let world = World::start().await;
    for id in ["TR1", "TR2"] {
        world.add(Payment::debit(id).settled_on("2026-11-17")).await;
    }
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R17");
    let file = file
        .text()
        .replace("R17,Insufficient Funds", "R17,QUESTIONABLE TRANSACTION");
    world.import("worldpay_returns", "r.csv", file).await;
    let ach_return = |id: &'static str| async {
        let transfer = world.transfer(id).await;
        let ask = proto::GetReturnRequest {
            ach_return_id: transfer.ach_return.unwrap().ach_return_id,
            ..Default::default()
        };
        let answer = world.client.clone().get_return(ask).await.unwrap();
        answer.into_inner().ach_return.unwrap()
    };
    let unpaid = ach_return("TR1").await;
    assert!(unpaid.return_fee_allowed && !unpaid.questionable);
    // The report has no settlement date.
    assert_eq!(unpaid.return_fee_until, "");
    assert!(unpaid.represent_attempts_are_bounds);
    let questionable = ach_return("TR2").await;
    assert!(questionable.questionable && !questionable.return_fee_allowed);
}
