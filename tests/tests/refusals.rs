//! A database that refuses what was decided is part of every answer: the import, its exit code,
//! the run, an incident. Once the database takes it, one command retries all of it.

use std::process::{Command, Output};

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay, binary, eventually};
use proto::incident_service_client::IncidentServiceClient;
use proto::{DatabaseState, HoldReason, IncidentState};
use serde_json::Value;
use tonic::Code;

const IDS: [&str; 4] = ["TR1", "TR2", "TR3", "TR4"];

const GATEWAY_REFUSES: &str = "CREATE TRIGGER frozen BEFORE INSERT ON transfers \
     WHEN NEW.type = 'REVERSAL' BEGIN SELECT RAISE(ABORT, 'no such status'); END";
const RALLYPAY_REFUSES: &str = "CREATE TRIGGER frozen BEFORE UPDATE ON transactions \
     BEGIN SELECT RAISE(ABORT, 'no such status'); END";

fn returns() -> String {
    let file = IDS
        .iter()
        .fold(Worldpay::new(), |file, id| file.returned(id, "R01"));
    file.text()
}

async fn world_with_payments() -> World {
    let world = World::start().await;
    for id in IDS {
        world.add(Payment::debit(id)).await;
    }
    world
}

async fn echeck(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("echeck"));
    command
        .args(arguments)
        .args(["--json", "--server", &world.stack.url()])
        .env("USER", "ann");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Sends the four returns with the command; gives its answer.
async fn import(world: &World) -> Output {
    let file = world.options.data.join("returns.csv");
    std::fs::write(&file, returns()).unwrap();
    let file = file.to_str().unwrap();
    echeck(world, &["import", file, "--source", "worldpay_returns"]).await
}

async fn refusals(world: &World, state: IncidentState) -> Vec<proto::Incident> {
    let mut client = IncidentServiceClient::connect(world.stack.url())
        .await
        .unwrap();
    let ask = proto::ListIncidentsRequest {
        state: state.into(),
        ..Default::default()
    };
    let listed = client.list_incidents(ask).await.unwrap().into_inner();
    let mut incidents = listed.incidents;
    incidents.retain(|one| one.cause == "ROWS_REFUSED");
    incidents
}

async fn import_now(world: &World, id: &str) -> proto::Import {
    let ask = proto::GetImportRequest {
        import_id: id.to_owned(),
    };
    let answer = world.client.clone().get_import(ask).await.unwrap();
    answer.into_inner().file_import.unwrap()
}

fn count(tally: Option<proto::Tally>) -> u64 {
    tally.unwrap_or_default().count
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_refuses_is_held_told_and_retried_with_one_command() {
    let world = world_with_payments().await;
    sqlx::query(GATEWAY_REFUSES)
        .execute(&world.gateway)
        .await
        .unwrap();
    let output = import(&world).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let answer = json(&output)["file_import"].clone();
    assert_eq!(answer["totals"]["reversed"]["count"], 0, "{answer}");
    assert_eq!(answer["totals"]["held"]["count"], 4);
    assert_eq!(answer["totals"]["held"]["amount_minor"], 20_000);
    for database in answer["databases"].as_array().unwrap() {
        assert_eq!(database["state"], "exception", "{database}");
        assert_eq!(database["exceptions"], 4, "{database}");
    }
    eventually("the incident is open", || async {
        let open = refusals(&world, IncidentState::Open).await;
        open.iter()
            .any(|one| one.headline.contains("refused 4 changes"))
    })
    .await;

    sqlx::query("DROP TRIGGER frozen")
        .execute(&world.gateway)
        .await
        .unwrap();
    let retry = ["holds", "retry", "--hold-reason", "database_refused"];
    let retried = echeck(&world, &retry).await;
    assert_eq!(retried.status.code(), Some(0), "{retried:?}");
    assert_eq!(json(&retried)["resolved"], 4);
    let import_id = answer["import_id"].as_str().unwrap();
    eventually("it took effect in both databases", || async {
        let import = import_now(&world, import_id).await;
        let applied = |one: &proto::DatabaseProgress| {
            one.state() == DatabaseState::Applied && one.exceptions == 0
        };
        let totals = import.totals.unwrap();
        import.databases.iter().all(applied)
            && (count(totals.reversed), count(totals.held)) == (4, 0)
    })
    .await;
    assert_eq!(world.reversals("TR4").await, "1");
    eventually("the incident is over", || async {
        refusals(&world, IncidentState::Open).await.is_empty()
    })
    .await;
    assert_eq!(refusals(&world, IncidentState::Closed).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_file_the_mirror_refuses_is_not_a_plain_success() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_owned();
    let world = World::start_with(|options| {
        options.returns.push_str(&format!(
            "[sources.drop]\nformat = \"worldpay_echeck_return\"\n[sources.drop.folder]\n\
             directory = {directory:?}\npattern = \"*.csv\"\nsettle_ms = 10\n"
        ));
    })
    .await;
    for id in IDS {
        world.add(Payment::debit(id)).await;
    }
    sqlx::query(RALLYPAY_REFUSES)
        .execute(&world.rallypay)
        .await
        .unwrap();
    std::fs::write(folder.path().join("returns.csv"), returns()).unwrap();
    let output = echeck(&world, &["run", "drop"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let run = json(&output);
    assert_eq!(run["outcome"], "completed_with_exceptions", "{run}");
    let summary = run["summary"].as_str().unwrap();
    assert!(summary.contains("4 read = 4 decided"), "{summary}");
    assert!(
        summary.contains("4 without effect in rallypay"),
        "{summary}"
    );
    assert!(!summary.contains("in gateway"), "{summary}");
    eventually("the incident is open", || async {
        !refusals(&world, IncidentState::Open).await.is_empty()
    })
    .await;
    let shown = world.transfer("TR1").await;
    let states: Vec<_> = shown
        .databases
        .iter()
        .map(proto::DatabaseProgress::state)
        .collect();
    assert_eq!(states, [DatabaseState::Applied, DatabaseState::Exception]);
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_retried_in_pages_and_those_that_fail_again_end_it() {
    let world = world_with_payments().await;
    sqlx::query(RALLYPAY_REFUSES)
        .execute(&world.rallypay)
        .await
        .unwrap();
    let first = import(&world).await;
    assert_eq!(first.status.code(), Some(2), "{first:?}");
    let mut client = world.client.clone();
    let mut ask = proto::RetryHoldsRequest {
        request_id: String::new(),
        page_size: 3,
        ..Default::default()
    };
    let refused = client.retry_holds(ask.clone()).await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::InvalidArgument,
        "no filter: {refused}"
    );
    ask.reason = 99;
    let refused = client.retry_holds(ask.clone()).await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::InvalidArgument,
        "no reason: {refused}"
    );
    ask.reason = HoldReason::DatabaseRefused.into();
    ask.code = "R02".to_owned();
    let none = client.retry_holds(ask.clone()).await.unwrap().into_inner();
    assert_eq!(none, proto::RetryHoldsResponse::default());

    // The mirror refuses them again: each gets a hold of a later time, which is left alone.
    ask.code = "R01".to_owned();
    ask.source = "worldpay_returns".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = client.retry_holds(ask.clone()).await.unwrap().into_inner();
        pages.push(answer.resolved);
        ask.page_token = answer.next_page_token;
        if ask.page_token.is_empty() {
            break;
        }
        eventually("they fail again", || async {
            world.holds().await.len() == 4
        })
        .await;
    }
    assert_eq!(pages, [3, 1]);
    eventually("they fail again", || async {
        world.holds().await.len() == 4
    })
    .await;
    let shown = world.transfer("TR1").await;
    assert_eq!(shown.databases[1].state(), DatabaseState::Exception);

    sqlx::query("DROP TRIGGER frozen")
        .execute(&world.rallypay)
        .await
        .unwrap();
    let retried = echeck(&world, &["holds", "retry", "--code", "r01"]).await;
    assert_eq!(json(&retried)["resolved"], 4, "{retried:?}");
    eventually("the mirror has it", || async {
        world.transfer("TR1").await.databases[1].state() == DatabaseState::Applied
    })
    .await;
    let usage = echeck(&world, &["holds", "retry"]).await;
    assert_eq!(usage.status.code(), Some(64), "{usage:?}");
}
