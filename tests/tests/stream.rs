//! The journal as a stream of NATS JetStream (docs/journal.md).

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::stream::{Config, Info, Stream};
use async_nats::jetstream::{self, Context};
use echeck::stack::{Stack, StackOptions};
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::certificates::{TestCa, Valid};
use echeck_test_servers::nats::Nats;
use echeck_test_servers::proxy::Proxy;
use echeck_tests::{Payment, World, Worldpay, eventually};
use sqlx::sqlite::SqlitePool;

const RETURNS: usize = 400;

/// A row of the journal, or a message of the stream: its position, hash and payload.
type Row = (u64, String, String);

fn settings(nats: &Nats, more: &str) -> String {
    format!("\n[nats]\nservers = {:?}\n{more}\n", nats.addresses())
}

async fn world(nats: &Nats, more: &str) -> World {
    let settings = settings(nats, more);
    World::start_with(|options| {
        options.returns.push_str(&settings);
        options
            .returns
            .push_str("[import]\nbatch_size = 5\n[alerts]\npatience_ms = 500\n");
    })
    .await
}

async fn returned(world: &World, name: &str, ids: std::ops::Range<usize>) {
    let mut file = Worldpay::new();
    for number in ids {
        let id = format!("TR{number}");
        world.add(Payment::debit(&id)).await;
        file = file.returned(&id, "R01").case_id(&format!("C{number}"));
    }
    world.import("worldpay_returns", name, file).await;
}

async fn context(nats: &Nats) -> Context {
    let client = ConnectOptions::new()
        .connection_timeout(Duration::from_secs(1))
        // It may have been started a moment ago.
        .retry_on_initial_connect()
        .connect(nats.addresses())
        .await
        .expect("a server answers");
    jetstream::new(client)
}

async fn stream(nats: &Nats) -> Option<Stream> {
    let context = context(nats).await;
    context.get_stream("ECHECK_JOURNAL").await.ok()
}

async fn info(nats: &Nats) -> Option<Info> {
    Some(stream(nats).await?.cached_info().clone())
}

async fn messages(nats: &Nats) -> u64 {
    info(nats).await.map_or(0, |info| info.state.messages)
}

async fn journal(options: &StackOptions) -> Vec<Row> {
    let path = options.data.join("returns.db");
    let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let rows: Vec<(i64, Vec<u8>, String)> =
        sqlx::query_as("SELECT position, hash, payload FROM journal ORDER BY position")
            .fetch_all(&pool)
            .await
            .unwrap();
    let row = |(position, hash, payload): (i64, Vec<u8>, String)| {
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        (position.unsigned_abs(), hash, payload)
    };
    rows.into_iter().map(row).collect()
}

async fn published(nats: &Nats) -> Vec<Row> {
    let stream = stream(nats).await.expect("the stream is there");
    let state = &stream.cached_info().state;
    let mut rows = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let header = |name: &str| message.headers.get(name).unwrap().as_str().to_owned();
        assert_eq!(header("Nats-Msg-Id"), header("Echeck-Position"));
        rows.push((
            header("Echeck-Position").parse().unwrap(),
            header("Echeck-Hash"),
            String::from_utf8(message.payload.to_vec()).unwrap(),
        ));
    }
    rows
}

/// The one incident of the stream, open or closed.
async fn incident(world: &World) -> Option<proto::Incident> {
    let client = proto::incident_service_client::IncidentServiceClient::connect(world.stack.url());
    let mut client = client.await.expect("it answers");
    let listed = client.list_incidents(proto::ListIncidentsRequest::default());
    let listed = listed.await.expect("incidents are listed").into_inner();
    let is_of_stream = |incident: &proto::Incident| incident.subject == "stream";
    listed.incidents.into_iter().find(is_of_stream)
}

async fn eventually_told(world: &World, cause: &str) -> proto::Incident {
    eventually(cause, || async {
        incident(world)
            .await
            .is_some_and(|told| told.cause == cause)
    })
    .await;
    incident(world).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_in_the_stream_once_and_in_order_although_its_leader_is_killed() {
    let mut nats = Nats::start(3);
    let world = world(&nats, "").await;
    eventually("the stream has a leader", || async {
        let info = info(&nats).await;
        info.is_some_and(|info| info.cluster.is_some_and(|cluster| cluster.leader.is_some()))
    })
    .await;
    // One file follows the other until the leader is gone, so that it is killed amid the rows of one.
    let killed = AtomicBool::new(false);
    let importing = async {
        let mut returns = 0;
        while !killed.load(Relaxed) {
            let ids = returns..returns + RETURNS / 4;
            returned(&world, &format!("r{returns}.csv"), ids.clone()).await;
            returns = ids.end;
        }
        returns
    };
    let killing = async {
        eventually("some rows are there", || async {
            messages(&nats).await >= 20
        })
        .await;
        let leader = info(&nats).await.unwrap().cluster.unwrap().leader;
        nats.kill(&leader.unwrap());
        killed.store(true, Relaxed);
    };
    let (returns, ()) = tokio::join!(importing, killing);
    eventually("every row is there", || async {
        messages(&nats).await == returns as u64
    })
    .await;
    nats.start_again();
    assert_eq!(published(&nats).await, journal(&world.options).await);
    assert_eq!(info(&nats).await.unwrap().config.num_replicas, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_and_a_service_that_starts_again_repeat_nothing() {
    let nats = Nats::start(1);
    let address = nats.addresses().remove(0);
    let (_, server) = address.rsplit_once(':').unwrap();
    let proxy = Proxy::start(server.parse().unwrap());
    let through = format!("servers = [\"nats://127.0.0.1:{}\"]", proxy.port());
    let world = World::start_with(|options| {
        let settings = format!("\n[nats]\nreplicas = 1\n{through}\n[import]\nbatch_size = 5\n");
        options.returns.push_str(&settings);
    })
    .await;
    let importing = returned(&world, "r.csv", 0..RETURNS);
    let cutting = async {
        for cut in 1..=6 {
            eventually("some more rows are there", || async {
                messages(&nats).await >= cut * 20
            })
            .await;
            proxy.cut();
        }
    };
    tokio::join!(importing, cutting);
    world.stack.stop().await.unwrap();
    let stack = Stack::start(&world.options).await.unwrap();
    eventually("every row is there", || async {
        messages(&nats).await == RETURNS as u64
    })
    .await;
    assert!(proxy.connections() >= 5, "it was cut off");
    assert_eq!(published(&nats).await, journal(&world.options).await);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_told_while_no_server_runs_and_what_was_decided_meanwhile_comes_then() {
    let mut nats = Nats::start(1);
    // The server forgets the ids of messages sooner than it is started again.
    let config = Config {
        name: "ECHECK_JOURNAL".to_owned(),
        subjects: vec!["echeck.journal".to_owned()],
        duplicate_window: Duration::from_millis(100),
        ..Config::default()
    };
    context(&nats).await.create_stream(config).await.unwrap();
    let world = world(&nats, "replicas = 1\ntimeout_ms = 500").await;
    returned(&world, "1.csv", 0..10).await;
    eventually("the rows are there", || async {
        messages(&nats).await == 10
    })
    .await;
    nats.kill_all();
    returned(&world, "2.csv", 10..20).await;
    let told = eventually_told(&world, "STREAM_UNREACHABLE").await;
    assert!(told.headline.contains(&nats.addresses()[0]), "{told:?}");
    nats.start_again();
    eventually("the rows from meanwhile are there", || async {
        messages(&nats).await == 20
    })
    .await;
    assert_eq!(published(&nats).await, journal(&world.options).await);
    eventually("the incident is over", || async {
        let state = incident(&world).await.unwrap().state();
        state == proto::IncidentState::Closed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_though_there_is_nothing_to_publish_and_ends_by_itself() {
    let mut nats = Nats::start(1);
    let world = world(&nats, "replicas = 1\ntimeout_ms = 500").await;
    returned(&world, "1.csv", 0..3).await;
    eventually("the rows are there", || async {
        messages(&nats).await == 3
    })
    .await;
    nats.kill_all();
    eventually_told(&world, "STREAM_UNREACHABLE").await;
    nats.start_again();
    eventually("the incident is over", || async {
        let state = incident(&world).await.unwrap().state();
        state == proto::IncidentState::Closed
    })
    .await;
    assert_eq!(published(&nats).await, journal(&world.options).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_stream_begins_after_the_position_that_is_told() {
    let nats = Nats::start(1);
    let first = world(&nats, "replicas = 1\nafter_position = 0").await;
    returned(&first, "1.csv", 0..10).await;
    eventually("all rows are there", || async {
        messages(&nats).await == 10
    })
    .await;
    let other = "stream = \"OTHER\"\nsubject = \"other\"\nreplicas = 1\nafter_position = 7";
    let mut options = first.options.clone();
    options.returns = options
        .returns
        .replace("replicas = 1\nafter_position = 0", other);
    first.stack.stop().await.unwrap();
    let stack = Stack::start(&options).await.unwrap();
    let context = context(&nats).await;
    eventually("the rows after it are there", || async {
        let stream = context.get_stream("OTHER").await;
        stream.is_ok_and(|stream| stream.cached_info().state.messages == 3)
    })
    .await;
    let stream = context.get_stream("OTHER").await.unwrap();
    let begun = stream.get_raw_message(1).await.unwrap();
    assert_eq!(begun.headers.get("Nats-Msg-Id").unwrap().as_str(), "8");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_journal_gets_nothing() {
    let nats = Nats::start(1);
    let one = world(&nats, "replicas = 1").await;
    returned(&one, "1.csv", 0..3).await;
    eventually("the rows are there", || async {
        messages(&nats).await == 3
    })
    .await;
    let another = world(&nats, "replicas = 1").await;
    returned(&another, "1.csv", 0..3).await;
    let told = eventually_told(&another, "STREAM_FOREIGN").await;
    assert!(
        told.headline.contains("it has rows of the journal"),
        "{told:?}"
    );
    assert_eq!(messages(&nats).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_others_may_publish_to_or_with_too_few_replicas_is_refused() {
    let nats = Nats::start(1);
    for (subjects, more, why) in [
        (vec!["echeck.>"], "replicas = 1", "its subjects are"),
        (vec!["echeck.journal"], "", "it has 1 of 3 replicas"),
    ] {
        let context = context(&nats).await;
        let config = Config {
            name: "ECHECK_JOURNAL".to_owned(),
            subjects: subjects.into_iter().map(str::to_owned).collect(),
            ..Config::default()
        };
        context.create_stream(config).await.unwrap();
        let world = world(&nats, more).await;
        let told = eventually_told(&world, "STREAM_FAILED").await;
        assert!(told.headline.contains(why), "{told:?}");
        context.delete_stream("ECHECK_JOURNAL").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_in_between_is_told_and_no_row_comes_after() {
    let nats = Nats::start(1);
    let world = world(&nats, "replicas = 1").await;
    returned(&world, "1.csv", 0..3).await;
    eventually("the rows are there", || async {
        messages(&nats).await == 3
    })
    .await;
    let context = context(&nats).await;
    let sent = context
        .publish("echeck.journal", "mine".into())
        .await
        .unwrap();
    sent.await.unwrap();
    // It is seen without a row to publish.
    let told = eventually_told(&world, "STREAM_FOREIGN").await;
    returned(&world, "2.csv", 3..6).await;
    assert!(
        told.headline.contains("is not a row of a journal"),
        "{told:?}"
    );
    assert_eq!(messages(&nats).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_published_with_tls_and_a_password_that_is_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let ca = TestCa::new();
    let at = folder.path();
    std::fs::write(at.join("ca.pem"), ca.pem()).unwrap();
    ca.issue(&["127.0.0.1", "localhost"], Valid::Now)
        .write(at, "server");
    let extra = format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}\n\
         authorization {{ user: echeck, password: CANARY-1 }}\n",
        at.join("server.pem"),
        at.join("server.key")
    );
    let nats = Nats::start_with(1, &extra);
    let secure = |password: &str| {
        let server = format!("tls://{}", nats.addresses()[0]);
        format!(
            "\n[nats]\nservers = [{server:?}]\nreplicas = 1\nuser = \"echeck\"\n\
             password = {password:?}\n[nats.tls]\nca_file = {:?}\n",
            at.join("ca.pem")
        )
    };
    let start = async |password: &str| {
        let settings = secure(password);
        World::start_with(|options| {
            options.returns.push_str(&settings);
            options.returns.push_str("[alerts]\npatience_ms = 500\n");
        })
        .await
    };
    let refused = start("CANARY-2").await;
    let told = eventually_told(&refused, "STREAM_UNREACHABLE").await;
    assert!(
        told.headline.to_lowercase().contains("authorization"),
        "{told:?}"
    );
    assert!(!format!("{told:?}").contains("CANARY"), "{told:?}");
    refused.stack.stop().await.unwrap();

    let world = start("CANARY-1").await;
    returned(&world, "1.csv", 0..3).await;
    let client = ConnectOptions::new()
        .add_root_certificates(at.join("ca.pem"))
        .user_and_password("echeck".to_owned(), "CANARY-1".to_owned())
        .connect(format!("tls://{}", nats.addresses()[0]))
        .await
        .unwrap();
    let context = jetstream::new(client);
    eventually("the rows are there", || async {
        let stream = context.get_stream("ECHECK_JOURNAL").await;
        stream.is_ok_and(|stream| stream.cached_info().state.messages == 3)
    })
    .await;
}
