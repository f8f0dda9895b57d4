//! Replicas that are replaced one after another, and killed, under calls and an import
//! (docs/upgrade.md).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use echeck::database::DatabaseArguments;
use echeck::stack::DataFolder;
use echeck_proto::returns::v1 as proto;
use echeck_test_servers::proxy::Proxy;
use echeck_tests::{Process, Worldpay, binary, connect, eventually, port, start};
use proto::get_transfer_request::Key;
use proto::returns_service_client::ReturnsServiceClient;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const RETURNS: usize = 300;

/// What docs/clients.md asks of a caller: how often a call is made, the first pause, which doubles, the longest
/// one, and the deadline of the whole.
const ATTEMPTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(10);

/// A program that is replaced: what it reads, and where its callers find it.
struct Replaced {
    name: &'static str,
    config: String,
    running: Option<Process>,
    proxy: Proxy,
}

impl Replaced {
    fn start(name: &'static str, folder: &Path, config: String) -> Self {
        let mut replaced = Self {
            name,
            config,
            running: None,
            proxy: Proxy::start(port()),
        };
        let (process, port) = replaced.another(folder, &before(name));
        replaced.running = Some(process);
        replaced.proxy.turn_to(port);
        replaced
    }

    /// One more of it, with a port of its own.
    fn another(&self, folder: &Path, program: &Path) -> (Process, u16) {
        let port = port();
        let folder = folder.join(format!("{}-{port}", self.name));
        std::fs::create_dir(&folder).unwrap();
        let listen = format!(
            "[access]\nanonymous_roles = \"admin,adapter_client\"\n\
             [server]\nlisten = \"127.0.0.1:{port}\"\n"
        );
        let config = listen + &self.config;
        (start(program, self.name, &folder, &config), port)
    }

    /// The new one takes the calls, then the old one goes in order.
    async fn replace(&mut self, folder: &Path) {
        let (new, port) = self.another(folder, &binary(self.name));
        connect(port).await;
        self.proxy.turn_to(port);
        let old = self.running.replace(new).unwrap();
        assert_eq!(old.stop(), Some(0));
    }

    /// It is killed with the calls that it has, and only then another one is started.
    async fn kill(&mut self, folder: &Path) {
        self.running.take().unwrap().kill();
        let (new, port) = self.another(folder, &binary(self.name));
        connect(port).await;
        self.proxy.turn_to(port);
        self.running = Some(new);
    }
}

/// The program that runs first: of an older version, where `scripts/test-upgrade` names the folder of one.
fn before(name: &str) -> PathBuf {
    std::env::var_os("ECHECK_OLD_PROGRAMS")
        .map_or_else(|| binary(name), |folder| PathBuf::from(folder).join(name))
}

/// Calls as docs/clients.md says, until it is stopped; counts the calls, and those that were lost.
async fn call(replicas: Arc<[Channel]>, stop: Arc<AtomicBool>, lost: Arc<AtomicU64>) -> u64 {
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) {
        calls += 1;
        if let Err(why) = get(&replicas, calls).await {
            eprintln!("lost: {why}");
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
    calls
}

async fn get(replicas: &[Channel], number: u64) -> Result<(), Status> {
    let mut pause = PAUSE;
    let began = Instant::now();
    for attempt in 0..ATTEMPTS {
        let at = (usize::try_from(number).unwrap() + attempt as usize) % replicas.len();
        let mut ask = tonic::Request::new(proto::GetTransferRequest {
            key: Some(Key::TransferId("TR0".to_owned())),
            ..Default::default()
        });
        ask.set_timeout(DEADLINE.saturating_sub(began.elapsed()));
        match ReturnsServiceClient::new(replicas[at].clone())
            .get_transfer(ask)
            .await
        {
            Ok(_) => return Ok(()),
            Err(status) if may_be_repeated(&status) && attempt + 1 < ATTEMPTS => {}
            Err(status) => return Err(status),
        }
        // Up to a half is left to chance; here the number of the call is chance enough.
        let chance = pause / 2 * u32::try_from(number % 8).unwrap() / 8;
        tokio::time::sleep(pause - chance).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    unreachable!("the last attempt returns")
}

/// tonic calls a connection that broke UNKNOWN, INTERNAL or CANCELLED, where other clients say
/// UNAVAILABLE. What the service says has a reason.
fn may_be_repeated(status: &Status) -> bool {
    let is_broken = matches!(
        status.code(),
        Code::Unknown | Code::Internal | Code::Cancelled
    );
    let is_of_transport = status.get_details_error_info().is_none();
    status.code() == Code::Unavailable || is_broken && is_of_transport
}

/// Debits in both databases, and the file of their returns.
async fn debits(data: &DataFolder) -> Worldpay {
    let mut file = Worldpay::new();
    let (mut transfers, mut transactions) = (Vec::new(), Vec::new());
    for number in 0..RETURNS {
        let id = format!("TR{number}");
        transfers.push(format!(
            "('{id}', 'DEBIT', 'SUCCEEDED', 5000, 'FNX{id}', '8399{id}', 'AP', 'ID', now(), now())"
        ));
        transactions.push(format!("('{id}', 5000, 'succeeded', now(), now())"));
        file = file.returned(&id, "R01").case_id(&format!("C{number}"));
    }
    let insert = "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, application, \
                  merchant_identity, created_at, updated_at) VALUES ";
    let into_rallypay = "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) VALUES ";
    for (url, sql) in [
        (
            data.gateway().url(),
            insert.to_owned() + &transfers.join(", "),
        ),
        (
            data.rallypay().url(),
            into_rallypay.to_owned() + &transactions.join(", "),
        ),
    ] {
        let mut owner = PgConnection::connect(url).await.unwrap();
        owner.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    file
}

async fn count(url: &str, sql: &'static str) -> i64 {
    let mut owner = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_while_every_program_is_replaced_and_killed() {
    let folder = tempfile::tempdir().unwrap();
    let databases = DatabaseArguments {
        returns_db: Some(echeck_test_servers::postgres().await),
        gateway_db: Some(echeck_test_servers::postgres().await),
        rallypay_db: Some(echeck_test_servers::postgres().await),
    };
    let data = DataFolder::open(folder.path(), &databases).await.unwrap();
    let file = debits(&data).await;
    let adapter = |name, url: &str| {
        Replaced::start(name, folder.path(), format!("[target]\nurl = {url:?}\n"))
    };
    let mut gateway = adapter("gateway-adapter", data.gateway().url());
    let mut rallypay = adapter("rallypay-adapter", data.rallypay().url());
    let config = format!(
        "[database]\nurl = {:?}\n[import]\nbatch_size = 5\n\
         [spool]\nfolder = {:?}\nidentity_file = {:?}\n\
         [databases.gateway]\nadapter = \"http://127.0.0.1:{}\"\nrole = \"system_of_record\"\n\
         [databases.rallypay]\nadapter = \"http://127.0.0.1:{}\"\nrole = \"mirror\"\n\
         [sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n",
        data.returns().url(),
        folder.path().join("spool"),
        folder.path().join("spool.key"),
        gateway.proxy.port(),
        rallypay.proxy.port(),
    );
    let mut replicas =
        [(); 2].map(|()| Replaced::start("returns-service", folder.path(), config.clone()));
    let channels: Arc<[Channel]> = replicas
        .iter()
        .map(|one| {
            let at = format!("http://127.0.0.1:{}", one.proxy.port());
            Endpoint::from_shared(at).unwrap().connect_lazy()
        })
        .collect();
    eventually("both replicas answer", || async {
        get(&channels[..1], 0).await.is_ok() && get(&channels[1..], 0).await.is_ok()
    })
    .await;

    let (stop, lost) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let callers = [(); 4].map(|()| {
        tokio::spawn(call(
            Arc::clone(&channels),
            Arc::clone(&stop),
            Arc::clone(&lost),
        ))
    });
    let header = proto::ImportFileHeader {
        source: "worldpay_returns".into(),
        file_name: "r.csv".into(),
        ..Default::default()
    };
    let parts = [
        proto::import_file_request::Part::Header(header),
        proto::import_file_request::Part::Chunk(file.into()),
    ]
    .map(|part| proto::ImportFileRequest { part: Some(part) });
    ReturnsServiceClient::new(channels[0].clone())
        .import_file(tokio_stream::iter(parts))
        .await
        .unwrap();

    for one in &mut replicas {
        one.replace(folder.path()).await;
    }
    gateway.replace(folder.path()).await;
    rallypay.replace(folder.path()).await;
    for one in [&mut gateway, &mut rallypay]
        .into_iter()
        .chain(&mut replicas)
    {
        one.kill(folder.path()).await;
    }
    let returned = "SELECT COUNT(*) FROM transactions WHERE status = 'returned'";
    eventually("every return is in RallyPay", || async {
        count(data.rallypay().url(), returned).await == RETURNS as i64
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    println!("{calls} calls");
    assert!(calls > 100, "{calls}");
    assert_eq!(lost.load(Ordering::Relaxed), 0, "of {calls} calls");
    let reversals = "SELECT COUNT(DISTINCT parent_id) * 1000000 + COUNT(*) FROM transfers \
                     WHERE parent_id IS NOT NULL";
    let once = RETURNS as i64 * 1_000_001;
    assert_eq!(count(data.gateway().url(), reversals).await, once);
}
