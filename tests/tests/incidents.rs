//! Incidents of a running stack: what goes wrong is told by a channel, listed, looked after by
//! command, and over when it works again.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use echeck::database::DatabaseArguments;
use echeck::stack::{DEFAULT_SOURCES, Ports, Stack, StackOptions};
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::http::{Answer, HttpReceiver};
use echeck_tests::{Payment, World, Worldpay, binary, eventually};
use proto::incident_service_client::IncidentServiceClient;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tonic::transport::Channel;

fn alerts(receiver: &HttpReceiver) -> String {
    format!(
        "{DEFAULT_SOURCES}\n[alerts.channels.ops]\nkind = \"slack\"\nurl = {:?}\n",
        receiver.url("/services/T0/B0/token")
    )
}

fn first_lines(receiver: &HttpReceiver) -> Vec<String> {
    let received = receiver.received();
    let bodies = received.iter().map(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        body["text"]
            .as_str()
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    });
    bodies.collect()
}

async fn client(stack: &Stack) -> IncidentServiceClient<Channel> {
    IncidentServiceClient::connect(stack.url()).await.unwrap()
}

async fn incidents(stack: &Stack, state: proto::IncidentState) -> Vec<proto::Incident> {
    let ask = proto::ListIncidentsRequest {
        state: state.into(),
        ..proto::ListIncidentsRequest::default()
    };
    let answer = client(stack).await.list_incidents(ask).await.unwrap();
    answer.into_inner().incidents
}

/// `echeck incidents` with these arguments.
async fn echeck(stack: &Stack, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("echeck"));
    command
        .arg("incidents")
        .args(arguments)
        .args(["--server", &stack.url()])
        .env("USER", "ann");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn json(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[tokio::test]
async fn a_database_that_cannot_be_updated_is_reported_and_so_is_its_recovery() {
    let ops = HttpReceiver::start().await;
    let world = World::start_with(|options| options.returns = alerts(&ops)).await;
    let stack = &world.stack;
    world.add(Payment::debit("TR1")).await;
    sqlx::query("ALTER TABLE transactions RENAME TO gone")
        .execute(&world.rallypay)
        .await
        .unwrap();
    let file = Worldpay::new().returned("TR1", "R01");
    world
        .send("worldpay_returns", "r.csv", file, proto::WaitLevel::Decided)
        .await
        .unwrap();
    let failed = Instant::now();
    eventually("people are told", || async { !ops.received().is_empty() }).await;
    assert!(failed.elapsed() < Duration::from_secs(10));
    let told = &first_lines(&ops)[0];
    assert!(
        told.starts_with("The database \"rallypay\" is not being updated: "),
        "{told}"
    );

    let listed = echeck(stack, &["--json"]).await;
    assert_eq!(listed.status.code(), Some(2), "something is open");
    let listed = json(&listed);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["cause"], "TARGET_FAILED");
    assert_eq!(listed[0]["subject"], "database:rallypay");
    assert_eq!(listed[0]["alerts"][0]["state"], "sent");
    let id = listed[0]["incident_id"].as_str().unwrap();

    let acknowledged = echeck(stack, &["ack", id, "--reason", "on it", "--json"]).await;
    assert_eq!(acknowledged.status.code(), Some(0));
    assert_eq!(json(&acknowledged)[0]["acknowledged_by"], "anonymous");
    let shown = echeck(stack, &["show", id]).await;
    let shown = String::from_utf8(shown.stdout).unwrap();
    for part in ["What to do:", "acknowledged", "on it", "CHANNEL", "ops", id] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
    let unknown = echeck(stack, &["show", "inc_x"]).await;
    assert_eq!(unknown.status.code(), Some(4));

    sqlx::query("ALTER TABLE gone RENAME TO transactions")
        .execute(&world.rallypay)
        .await
        .unwrap();
    eventually("it is over", || async {
        incidents(stack, proto::IncidentState::Open)
            .await
            .is_empty()
    })
    .await;
    eventually("its end is told", || async {
        first_lines(&ops)
            .last()
            .unwrap()
            .starts_with("Recovered after")
    })
    .await;
    eventually("the return is there", || async {
        world.status("TR1").await == "returned"
    })
    .await;
    let listed = echeck(stack, &["list", "--all"]).await;
    assert_eq!(listed.status.code(), Some(0));
    assert!(String::from_utf8(listed.stdout).unwrap().contains(id));
    let none = echeck(stack, &[]).await;
    assert_eq!(
        String::from_utf8(none.stdout).unwrap(),
        "No open incidents.\n"
    );

    let late = echeck(stack, &["close", id]).await;
    assert_eq!(late.status.code(), Some(1));
    let said = String::from_utf8(late.stderr).unwrap();
    assert!(said.contains("[INCIDENT_CLOSED]"), "{said}");
}

#[tokio::test]
async fn a_returns_service_whose_adapter_is_down_says_so_within_ten_seconds() {
    let ops = HttpReceiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = StackOptions {
        returns: format!(
            "{}\n[databases.third]\nadapter = \"http://127.0.0.1:1\"\nrole = \"mirror\"\n",
            alerts(&ops)
        ),
        ..StackOptions::new(folder.path(), Ports::ANY)
    };
    let stack = Stack::start(&options).await.unwrap();
    let started = Instant::now();
    eventually("it is told", || async { !ops.received().is_empty() }).await;
    assert!(started.elapsed() < Duration::from_secs(10));
    let told = &first_lines(&ops)[0];
    assert!(
        told.starts_with("The adapter of the database \"third\" does not answer: "),
        "{told}"
    );
    let open = incidents(&stack, proto::IncidentState::Open).await;
    assert_eq!(open.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_test_alert_goes_to_every_channel_and_a_wrong_call_is_refused() {
    let ops = HttpReceiver::start().await;
    let world = World::start_with(|options| {
        options.returns = format!(
            "{}[alerts.channels.gone]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/x\"\n",
            alerts(&ops)
        );
    })
    .await;
    let tested = echeck(&world.stack, &["test-alert", "--json"]).await;
    assert_eq!(tested.status.code(), Some(2), "one did not take it");
    let results = json(&tested);
    assert_eq!(results[0]["channel"], "gone");
    assert_eq!(results[0]["delivered"], false);
    assert_eq!(results[0]["target"], "127.0.0.1:1");
    assert_eq!(results[1]["delivered"], true);
    assert_eq!(
        first_lines(&ops),
        ["Test alert, requested by anonymous: this channel works."]
    );

    let mut client = client(&world.stack).await;
    let too_long = proto::AcknowledgeIncidentRequest {
        incident_id: "inc_x".into(),
        note: "x".repeat(2_001),
        ..proto::AcknowledgeIncidentRequest::default()
    };
    let refused = client.acknowledge_incident(too_long).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    let unknown = proto::CloseIncidentRequest {
        incident_id: "inc_x".into(),
        request_id: String::new(),
        note: String::new(),
    };
    let refused = client.close_incident(unknown).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);
    let page = proto::ListIncidentsRequest {
        page_token: "?".into(),
        ..proto::ListIncidentsRequest::default()
    };
    let refused = client.list_incidents(page).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}

/// Ends every connection to a database and takes no new one, or takes them again.
async fn allow_connections(database: &str, allow: bool) {
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let mut operator = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    for sql in [
        format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {allow}"),
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        ),
    ] {
        operator.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

#[tokio::test]
async fn a_returns_database_that_is_down_is_reported_from_memory_and_stops_the_heartbeat() {
    let (ops, monitor) = (HttpReceiver::start().await, HttpReceiver::start().await);
    let returns = echeck_test_servers::postgres().await;
    let database = returns.rsplit('/').next().unwrap().to_owned();
    let world = World::start_with(|options| {
        options.databases = DatabaseArguments {
            returns_db: Some(returns.clone()),
            ..DatabaseArguments::default()
        };
        options.returns = format!(
            "{}[alerts.heartbeat]\nurl = {:?}\nevery_ms = 200\nafter_ms = 0\n",
            alerts(&ops),
            monitor.url("/ping/token")
        );
    })
    .await;
    let beats = || monitor.received().len();
    eventually("the heart beats", || async { beats() >= 2 }).await;

    let failed = Instant::now();
    allow_connections(&database, false).await;
    let down = "The returns database is unavailable: ";
    eventually("it is told", || async {
        first_lines(&ops).iter().any(|line| line.starts_with(down))
    })
    .await;
    assert!(failed.elapsed() < Duration::from_secs(10));
    assert_eq!(first_lines(&ops).len(), 1, "{:?}", first_lines(&ops));
    let ask = proto::ListIncidentsRequest::default();
    let answer = client(&world.stack)
        .await
        .list_incidents(ask)
        .await
        .unwrap();
    let answer = answer.into_inner();
    assert!(answer.from_memory);
    assert_eq!(answer.incidents[0].cause, "STORE_UNREACHABLE");
    assert_eq!(answer.incidents[0].alerts.len(), 1);
    eventually("an ill service falls silent", || async {
        let before = beats();
        tokio::time::sleep(Duration::from_secs(1)).await;
        beats() == before
    })
    .await;
    let before = beats();

    allow_connections(&database, true).await;
    eventually("its end is told", || async {
        first_lines(&ops)
            .last()
            .unwrap()
            .starts_with("Recovered after")
    })
    .await;
    eventually("the heart beats again", || async { beats() > before }).await;
    eventually("it is kept", || async {
        let closed = incidents(&world.stack, proto::IncidentState::Closed).await;
        closed.iter().any(|one| one.cause == "STORE_UNREACHABLE")
    })
    .await;
    let open = incidents(&world.stack, proto::IncidentState::Open).await;
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn a_file_that_is_held_is_told_with_its_money_and_over_when_it_is_decided() {
    let ops = HttpReceiver::start().await;
    let world = World::start_with(|options| options.returns = alerts(&ops)).await;
    let ids = ["TR1", "TR2", "TR3"];
    let file = ids
        .iter()
        .fold(Worldpay::new(), |file, id| file.returned(id, "R01"));
    world
        .send("worldpay_returns", "r.csv", file, proto::WaitLevel::Decided)
        .await
        .unwrap();
    let held = Instant::now();
    eventually("people are told", || async { !ops.received().is_empty() }).await;
    assert!(held.elapsed() < Duration::from_secs(10));
    assert_eq!(
        first_lines(&ops)[0],
        "3 of 3 entries of \"r.csv\" are held, USD 150.00. The most common reason is unknown \
         transfer (3). Is this file of another merchant, or are its payments not in the gateway \
         yet?"
    );

    for id in ids {
        world.add(Payment::debit(id)).await;
    }
    let ask = proto::RetryHoldsRequest {
        reason: proto::HoldReason::UnknownTransfer.into(),
        request_id: String::new(),
        ..proto::RetryHoldsRequest::default()
    };
    let mut client = world.client.clone();
    client.retry_holds(ask).await.unwrap();
    eventually("its end is told", || async {
        first_lines(&ops)
            .last()
            .unwrap()
            .starts_with("Recovered after")
    })
    .await;
    assert!(
        incidents(&world.stack, proto::IncidentState::Open)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_service_that_cannot_start_says_so_once_and_when_it_has_started() {
    let ops = HttpReceiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let good = StackOptions {
        returns: alerts(&ops),
        ..StackOptions::new(folder.path(), Ports::ANY)
    };
    let away = StackOptions {
        databases: DatabaseArguments {
            returns_db: Some("postgres://ann@127.0.0.1:1/returns".to_owned()),
            ..DatabaseArguments::default()
        },
        ..good.clone()
    };
    for _ in 0..2 {
        assert!(Stack::start(&away).await.is_err());
    }
    let told = first_lines(&ops);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("The returns service cannot start: "),
        "{told:?}"
    );
    assert!(told[0].contains("refused"), "{told:?}");

    let stack = Stack::start(&good).await.unwrap();
    let told = first_lines(&ops);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("seen 2 times: The returns service cannot start"),
        "{told:?}"
    );
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_failed_start_that_no_channel_took_is_told_by_the_next_one() {
    let ops = HttpReceiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let away = StackOptions {
        databases: DatabaseArguments {
            returns_db: Some("postgres://ann@127.0.0.1:1/returns".to_owned()),
            ..DatabaseArguments::default()
        },
        returns: alerts(&ops),
        ..StackOptions::new(folder.path(), Ports::ANY)
    };
    ops.answer(Answer::Status(500, String::new()));
    assert!(Stack::start(&away).await.is_err());
    ops.take_received();
    ops.answer(Answer::Status(200, "ok".to_owned()));
    assert!(Stack::start(&away).await.is_err());
    let told = first_lines(&ops);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("The returns service cannot start: "),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_waits_for_a_locked_database_is_told_and_goes_on_when_it_is_free() {
    let ops = HttpReceiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = echeck_test_servers::postgres().await;
    let options = StackOptions {
        databases: DatabaseArguments {
            returns_db: Some(url.clone()),
            ..DatabaseArguments::default()
        },
        returns: alerts(&ops),
        ..StackOptions::new(folder.path(), Ports::ANY)
    };
    Stack::start(&options).await.unwrap().stop().await.unwrap();
    let mut session = PgConnection::connect(&url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE journal_head IN ACCESS EXCLUSIVE MODE";
    session.execute(AssertSqlSafe(lock)).await.unwrap();
    let starting = tokio::spawn(async move { Stack::start(&options).await });
    eventually("it is told", async || !first_lines(&ops).is_empty()).await;
    let told = first_lines(&ops);
    assert!(told[0].contains("has not answered for 6 s"), "{told:?}");
    session.execute(AssertSqlSafe("ROLLBACK")).await.unwrap();
    let stack = starting.await.unwrap().unwrap();
    let told = first_lines(&ops);
    assert!(told[1].starts_with("Recovered after"), "{told:?}");
    stack.stop().await.unwrap();
}
