//! Returns of what is no payment: prenotes, and our own reversals. Neither moves money.

use std::process::{Command, Output};

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, World, binary, eventually};
use proto::{HoldReason, ImportState};
use serde_json::Value;

const TRACE: &str = "231380100000017";

async fn echeck(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("echeck"));
    command
        .args(arguments)
        .args(["--json", "--server", &world.stack.url()]);
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_prenote_is_counted_reported_and_never_looked_up_again() {
    let world = World::start().await;
    // Its transfer is there, and stays as it is: the prenote had the same trace.
    world.add(Payment::debit("TR1").ach_trace(TRACE)).await;
    let file = world.options.data.join("prenote.ach");
    let prenote = Nacha::new().returned(TRACE, "R03").amount(0);
    std::fs::write(&file, prenote.text()).unwrap();
    let path = file.to_str().unwrap();
    let output = echeck(&world, &["import", path, "--source", "nacha"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let import = json(&output)["file_import"].clone();
    let totals = &import["totals"];
    assert_eq!(totals["prenote"]["count"], 1, "{totals}");
    assert_eq!(totals["prenote"]["amount_minor"], 0);
    assert_eq!(totals["read"]["count"], 1);
    assert_eq!(totals["held"]["count"], 0);
    assert!(world.holds().await.is_empty());
    assert_eq!(world.journal_length().await, 0);
    assert_eq!(world.state("TR1").await, "SUCCEEDED");

    let import_id = import["import_id"].as_str().unwrap();
    eventually("it is reported", || async {
        let ask = proto::GetImportRequest {
            import_id: import_id.to_owned(),
        };
        let found = world.client.clone().get_import(ask).await.unwrap();
        !found
            .into_inner()
            .file_import
            .unwrap()
            .report_key
            .is_empty()
    })
    .await;
    let saved = world.options.data.join("report.csv");
    let saved = saved.to_str().unwrap();
    let reported = echeck(&world, &["report", import_id, "--output", saved]).await;
    assert_eq!(reported.status.code(), Some(0), "{reported:?}");
    let header = json(&reported);
    assert_eq!(header["ties_out"], true, "{header}");
    for database in header["databases"].as_array().unwrap() {
        assert_eq!(database["prenote"]["count"], 1, "{database}");
    }
    let report = std::fs::read_to_string(saved).unwrap();
    assert!(report.contains(",prenote,"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_our_own_reversal_is_a_candidate_for_r62_for_a_person() {
    let world = World::start().await;
    world.add(Payment::payout("TR1").ach_trace(TRACE)).await;
    // The debit with which we took the payout back came back.
    let file = Nacha::new().returned(TRACE, "R01").text();
    let file = file.replace("PAYMENT   ", "REVERSAL  ");
    let import = world.import("nacha", "r.ach", file).await;
    assert_eq!(import.state(), ImportState::Applied);
    let hold = world.hold().await;
    assert_eq!(hold.reason(), HoldReason::WrongDirection, "{hold:?}");
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
    let ask = proto::ListDishonorableReturnsRequest::default();
    let listed = world.client.clone().list_dishonorable_returns(ask).await;
    let listed = listed.unwrap().into_inner().dishonorable_returns;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].hold_id, hold.hold_id);
    let grounds = &listed[0].grounds;
    assert_eq!(grounds[0].code, "R62", "{grounds:?}");
    assert!(
        grounds[0].explanation.contains("a person must check"),
        "{grounds:?}"
    );
}
