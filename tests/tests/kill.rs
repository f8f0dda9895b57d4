//! The embedded process is killed with SIGKILL at random moments of an import. After restart
//! and re-import, journal and both databases are those of an uninterrupted run, row for row.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use echeck::database::DatabaseArguments;
use echeck::stack::{DataFolder, Holder, OwnTrust};
use echeck_proto::returns::v1 as proto;
use echeck_service::tls::Connection;
use echeck_tests::{Process, binary, eventually, port};
use proto::import_file_request::Part;
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use sqlx::{Row as _, SqlitePool};
use tonic::transport::Channel;

const ROUNDS: usize = 5;
const KILLS_PER_ROUND: usize = 10;

/// Small batches, so that there are many moments at which a kill can hit. When reversals become
/// ready to settle depends on the moment, so that is left to a person, who does nothing.
const SETTINGS: &str = "[sources.nacha]\nformat = \"nacha\"\n[import]\nbatch_size = 25\n\
                        [feed]\nbatch_size = 20\n[reversals]\nready = \"by_hand\"\n";

/// What is asked of the three databases: everything but the times of writing.
const JOURNAL: &str = "SELECT position || ' ' || return_id || ' ' || transfer_id || ' ' || \
     json_remove(payload, '$.decided_at') FROM journal ORDER BY position";
const OUTCOMES: &str = "SELECT phase || ' ' || done || ' ' || totals || ' ' || \
     (SELECT COUNT(*) FROM holds) || ' ' || (SELECT COUNT(*) FROM import_duplicates) FROM imports";
const TRANSFERS: &str = "SELECT id || ' ' || type || ' ' || state || ' ' || amount || ' ' || \
     messages || ' ' || tags || ' ' || COALESCE(parent_id, '') || ' ' || COALESCE(trace_id, '') \
     FROM transfers ORDER BY id";
const TRANSACTIONS: &str = "SELECT transfer_id || ' ' || status || ' ' || \
     COALESCE(failure_code, '') || ' ' || COALESCE(returned_at, '') || ' ' || lock_version \
     FROM transactions ORDER BY transfer_id";

/// Draws from a seed, so that a failing run can be repeated (ECHECK_KILL_SEED).
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn echeck(arguments: &[&str]) {
    let done = Command::new(binary("echeck"))
        .args(arguments)
        .status()
        .unwrap();
    assert!(done.success(), "echeck {arguments:?}");
}

/// What calls a service that was started.
#[derive(Clone)]
struct Client {
    returns: ReturnsServiceClient<Channel>,
    operations: OperationsServiceClient<Channel>,
}

async fn up(folder: &Path) -> (Process, Client) {
    let port = port();
    let settings = folder.join("settings.toml");
    std::fs::write(&settings, SETTINGS).unwrap();
    let process = Process::start(
        Command::new(binary("echeck"))
            .args([
                "up",
                "--gateway-port",
                "0",
                "--rallypay-port",
                "0",
                "--port",
            ])
            .arg(port.to_string())
            .arg("--data")
            .arg(folder)
            .arg("--settings")
            .arg(&settings)
            .env("ECHECK_CONFIG_HOME", folder.join("config"))
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let url = format!("https://127.0.0.1:{port}");
    let trust = OwnTrust::of(folder);
    let connect = || async {
        let tls = trust.client(Holder::Operator).ok()?;
        Connection::new(&url, Some(&tls)).ok()?.connect().await.ok()
    };
    eventually("echeck is up", || async { connect().await.is_some() }).await;
    let channel = connect().await.unwrap();
    let returns = ReturnsServiceClient::new(channel.clone());
    let operations = OperationsServiceClient::new(channel);
    (
        process,
        Client {
            returns,
            operations,
        },
    )
}

async fn import(
    client: Client,
    bytes: Vec<u8>,
    wait: proto::WaitLevel,
) -> Result<proto::ImportFileResponse, tonic::Status> {
    let header = proto::ImportFileHeader {
        source: "nacha".into(),
        file_name: "r.ach".into(),
        wait: wait.into(),
        ..proto::ImportFileHeader::default()
    };
    let mut parts = vec![proto::ImportFileRequest {
        part: Some(Part::Header(header)),
    }];
    parts.extend(bytes.chunks(4 << 10).map(|chunk| proto::ImportFileRequest {
        part: Some(Part::Chunk(chunk.to_vec())),
    }));
    let mut returns = client.returns;
    returns
        .import_file(tokio_stream::iter(parts))
        .await
        .map(tonic::Response::into_inner)
}

async fn rows(url: &str, sql: &'static str) -> Vec<String> {
    let pool = SqlitePool::connect(url).await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn everything(folder: &Path) -> Vec<Vec<String>> {
    let data = DataFolder::open(folder, &DatabaseArguments::default())
        .await
        .unwrap();
    vec![
        rows(data.returns().url(), JOURNAL).await,
        rows(data.returns().url(), OUTCOMES).await,
        rows(data.gateway().url(), TRANSFERS).await,
        rows(data.rallypay().url(), TRANSACTIONS).await,
    ]
}

/// Imports as [`import`] does, and before does what a person does about an import that two kills at
/// one place have parked.
async fn import_even_if_parked(
    client: Client,
    bytes: Vec<u8>,
) -> Result<proto::ImportFileResponse, tonic::Status> {
    let begun = import(client.clone(), bytes.clone(), proto::WaitLevel::Unspecified).await?;
    let retry = proto::RetryImportRequest {
        import_id: begun.file_import.unwrap_or_default().import_id,
        request_id: String::new(),
        reason: "the process was killed".to_owned(),
    };
    match client.operations.clone().retry_import(retry).await {
        Err(refused) if refused.code() != tonic::Code::FailedPrecondition => Err(refused),
        _ => import(client, bytes, proto::WaitLevel::Applied).await,
    }
}

/// Runs the import to its end; gives what is there then, and how long the import took.
async fn finish(folder: &Path, bytes: &[u8]) -> (Vec<Vec<String>>, Duration) {
    let (process, client) = up(folder).await;
    let started = Instant::now();
    let answer = import_even_if_parked(client, bytes.to_vec()).await.unwrap();
    assert_eq!(
        answer.file_import.unwrap().state(),
        proto::ImportState::Applied
    );
    let took = started.elapsed();
    assert_eq!(process.stop(), Some(0));
    (everything(folder).await, took)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_leave_what_an_uninterrupted_run_leaves() {
    let seed = std::env::var("ECHECK_KILL_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or(20_261_121);
    println!("ECHECK_KILL_SEED={seed}");
    let mut draws = Draws(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("returns.ach");
    echeck(&[
        "sample",
        "nacha",
        "--payments",
        "2000",
        "--entries",
        "1000",
        "--unknown",
        "20",
        "--corrections",
        "30",
        "--strange",
        "10",
        "--today",
        "2026-11-20",
        "--out",
        file.to_str().unwrap(),
    ]);
    let bytes = std::fs::read(&file).unwrap();
    let world = |name: &str| {
        let world = folder.path().join(name);
        echeck(&[
            "sample",
            "world",
            "--payments",
            "2000",
            "--today",
            "2026-11-20",
            "--out",
            world.to_str().unwrap(),
        ]);
        world
    };
    let (expected, took) = finish(&world("uninterrupted"), &bytes).await;
    // The kills of a round are spread over about the time that an import takes here and now.
    let mut longest_ms = u64::try_from(took.as_millis()).unwrap() * 2 / KILLS_PER_ROUND as u64;
    assert!(expected[0].len() > 900, "the run is about something");

    let mut in_the_middle = 0;
    let mut reached = std::collections::BTreeSet::new();
    for round in 0..ROUNDS {
        let world = world(&format!("killed-{round}"));
        for _ in 0..KILLS_PER_ROUND {
            let (process, client) = up(&world).await;
            let bytes = bytes.clone();
            let sending = tokio::spawn(import_even_if_parked(client, bytes));
            // This is the random moment itself, not a wait for something.
            tokio::time::sleep(Duration::from_millis(draws.below(longest_ms.max(1)))).await;
            let is_in_the_middle = !sending.is_finished();
            process.kill();
            in_the_middle += usize::from(is_in_the_middle);
            // How fast the machine is changes with what else it does.
            longest_ms = match is_in_the_middle {
                true => longest_ms + longest_ms / 8,
                false => longest_ms / 2,
            };
            // Whatever it was told: the process is dead, the answer does not count.
            let _ = sending.await;
            let data = DataFolder::open(&world, &DatabaseArguments::default())
                .await
                .unwrap();
            let head = "SELECT CAST(MAX(position) AS TEXT) FROM journal_head";
            reached.extend(rows(data.returns().url(), head).await);
        }
        let (actual, _) = finish(&world, &bytes).await;
        for (what, (actual, expected)) in ["journal", "outcomes", "transfers", "transactions"]
            .iter()
            .zip(actual.iter().zip(&expected))
        {
            assert_eq!(
                actual.len(),
                expected.len(),
                "{what}: number of rows, round {round}"
            );
            for (actual, expected) in actual.iter().zip(expected) {
                assert_eq!(actual, expected, "{what}, round {round}");
            }
        }
    }
    println!(
        "{in_the_middle} of {} kills hit before the import was over",
        ROUNDS * KILLS_PER_ROUND
    );
    assert!(
        in_the_middle * 2 > ROUNDS * KILLS_PER_ROUND,
        "too few kills hit the import"
    );
}
