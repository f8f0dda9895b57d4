//! The whole stack on servers: the returns database and RallyPay on PostgreSQL, the core
//! gateway on MariaDB, and what happens when one of them is restored from a backup.

mod identity;

use std::path::Path;
use std::process::Command;

use echeck::database::{Address, DatabaseArguments};
use echeck::stack::{Ports, Stack, StackOptions};
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Worldpay, add_debits, address, binary, eventually, verdict_at};
use proto::import_file_request::Part;
use proto::incident_service_client::IncidentServiceClient;
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use tonic::transport::Channel;

/// Three databases on servers, and a stack over them.
struct Deployment {
    databases: DatabaseArguments,
    folder: tempfile::TempDir,
    stack: Stack,
}

impl Deployment {
    async fn start() -> Self {
        let databases = DatabaseArguments {
            returns_db: Some(echeck_test_servers::postgres().await),
            gateway_db: Some(echeck_test_servers::mariadb().await),
            rallypay_db: Some(echeck_test_servers::postgres().await),
        };
        let folder = tempfile::tempdir().unwrap();
        let stack = start(&databases, folder.path()).await;
        Self {
            databases,
            folder,
            stack,
        }
    }

    /// Stops the stack, does something to the databases, and starts it again.
    async fn while_stopped(self, change: impl FnOnce(&DatabaseArguments)) -> Self {
        self.stack.stop().await.unwrap();
        change(&self.databases);
        let stack = start(&self.databases, self.folder.path()).await;
        Self { stack, ..self }
    }

    async fn gateway(&self, sql: &str) -> String {
        value(&address(&self.databases.gateway_db), sql).await
    }

    async fn rallypay(&self, sql: &str) -> String {
        value(&address(&self.databases.rallypay_db), sql).await
    }

    async fn add_debits(&self, ids: &[&str]) {
        add_debits(&self.databases, ids).await;
    }

    async fn client(&self) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::connect(self.stack.url())
            .await
            .unwrap()
    }

    async fn operations(&self) -> OperationsServiceClient<Channel> {
        OperationsServiceClient::connect(self.stack.url())
            .await
            .unwrap()
    }

    async fn import(&self, name: &str, file: Worldpay, wait: proto::WaitLevel) -> proto::Import {
        let header = proto::ImportFileHeader {
            source: "worldpay_returns".to_owned(),
            file_name: name.to_owned(),
            wait: wait.into(),
            ..proto::ImportFileHeader::default()
        };
        let parts = [Part::Header(header), Part::Chunk(file.into())]
            .map(|part| proto::ImportFileRequest { part: Some(part) });
        let answer = self
            .client()
            .await
            .import_file(tokio_stream::iter(parts))
            .await;
        answer.unwrap().into_inner().file_import.unwrap()
    }

    async fn status(&self) -> proto::GetStatusResponse {
        let status = self
            .operations()
            .await
            .get_status(proto::GetStatusRequest {})
            .await;
        status.unwrap().into_inner()
    }

    /// Runs a statement as the gateway's owner.
    async fn in_gateway(&self, sql: &str) {
        let address = address(&self.databases.gateway_db);
        let mut connection = address.connect().await.unwrap();
        connection.script(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn is_applied(&self, import_id: &str) {
        eventually("the import is applied", || async {
            let ask = proto::GetImportRequest {
                import_id: import_id.to_owned(),
            };
            let found = self.client().await.get_import(ask).await.unwrap();
            let import = found.into_inner().file_import.unwrap();
            import.state() == proto::ImportState::Applied
        })
        .await;
    }

    async fn fault(&self, database: &str) -> String {
        let followers = self.status().await.databases;
        let follower = followers.into_iter().find(|one| one.database == database);
        follower.unwrap().fault
    }
}

async fn start(databases: &DatabaseArguments, folder: &std::path::Path) -> Stack {
    let mut options = StackOptions::new(folder, Ports::ANY);
    options.databases = databases.clone();
    // So that a journal has just the rows that its files asked for.
    options
        .returns
        .push_str("[reversals]\nready = \"by_hand\"\n");
    Stack::start(&options).await.unwrap()
}

async fn value(address: &Address, sql: &str) -> String {
    let mut connection = address.connect().await.unwrap();
    let value = connection.value(sql).await.unwrap().unwrap_or_default();
    connection.close().await.unwrap();
    value
}

fn name_of(url: &Option<String>) -> String {
    url.as_deref()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}

/// Runs statements in the server's own database.
fn psql(statements: &[&str]) {
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let mut command = Command::new("psql");
    command.args(["-q", "-v", "ON_ERROR_STOP=1", &format!("{server}/postgres")]);
    for statement in statements {
        command.args(["-c", statement]);
    }
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// A dump of a PostgreSQL database, as docs/backup.md makes it.
fn dump_postgres(database: &str) -> Vec<u8> {
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let url = format!("{server}/{database}");
    let done = Command::new("pg_dump")
        .args(["--format=custom", &url])
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    done.stdout
}

/// Puts a dump in the place of a database that nobody is connected to.
fn restore_postgres(database: &str, dump: &Path) {
    psql(&[
        &format!("DROP DATABASE {database} WITH (FORCE)"),
        &format!("CREATE DATABASE {database} TEMPLATE template0"),
    ]);
    let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
    let url = format!("{server}/{database}");
    let done = Command::new("pg_restore")
        .args(["--exit-on-error", "--dbname", &url])
        .arg(dump)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Moves the signed checkpoints after a position out of the bucket, as docs/backup.md says.
fn move_checkpoints(folder: &Path, after: u64, to: &Path) {
    for journal in std::fs::read_dir(folder).into_iter().flatten() {
        for checkpoint in std::fs::read_dir(journal.unwrap().path()).unwrap() {
            let checkpoint = checkpoint.unwrap();
            let name = checkpoint.file_name().into_string().unwrap();
            let (position, _) = name.split_once('-').unwrap();
            if position.parse::<u64>().unwrap() > after {
                std::fs::rename(checkpoint.path(), to.join(name)).unwrap();
            }
        }
    }
}

/// Copies a folder as it is.
fn copy_folder(from: &Path, to: &Path) {
    let done = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status()
        .unwrap();
    assert!(done.success());
}

fn mariadb(program: &str, database: &str, input: Vec<u8>) -> Vec<u8> {
    let server = echeck_test_servers::server("ECHECK_TEST_MARIADB");
    let port = server.rsplit(':').next().unwrap();
    let mut child = Command::new(program)
        .args([
            "--no-defaults",
            "-h127.0.0.1",
            "-uecheck",
            "-pecheck",
            "-P",
            port,
            database,
        ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    done.stdout
}

const REVERSALS: &str = "SELECT count(*) FROM transfers WHERE type = 'REVERSAL'";
const RETURNED: &str = "SELECT count(*) FROM transactions WHERE status = 'returned'";

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_on_mariadb_restored_from_an_older_dump_catches_up_by_itself() {
    let here = Deployment::start().await;
    here.add_debits(&["TR1", "TR2", "TR3"]).await;
    let first = Worldpay::new().returned("TR1", "R01");
    here.import("1.csv", first, proto::WaitLevel::Applied).await;
    let database = name_of(&here.databases.gateway_db);
    let dump = mariadb("mariadb-dump", &database, Vec::new());
    let second = Worldpay::new()
        .returned("TR2", "R01")
        .returned("TR3", "R02");
    here.import("2.csv", second, proto::WaitLevel::Applied)
        .await;
    assert_eq!(here.gateway(REVERSALS).await, "3");

    // Nothing tells the service, and nothing more is imported.
    mariadb("mariadb", &database, dump);
    assert_eq!(here.gateway(REVERSALS).await, "1");
    eventually("the gateway has what it lost", || async {
        here.gateway(REVERSALS).await == "3"
    })
    .await;
    assert_eq!(here.rallypay(RETURNED).await, "3");
    assert_eq!(
        here.rallypay("SELECT max(lock_version) FROM transactions")
            .await,
        "1"
    );
    here.stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_returns_database_is_refused_by_hash_and_adopted_by_an_operator() {
    let here = Deployment::start().await;
    here.add_debits(&["TR1", "TR2", "TR3", "TR4", "TR5"]).await;
    let monday = Worldpay::new().returned("TR1", "R01");
    here.import("mon.csv", monday, proto::WaitLevel::Applied)
        .await;
    // One file is on its way when the backup is made: its bytes are in the spool alone.
    here.in_gateway("RENAME TABLE transfers TO elsewhere").await;
    let waiting = Worldpay::new().returned("TR5", "R01");
    let waiting = here
        .import("late.csv", waiting, proto::WaitLevel::Unspecified)
        .await;
    // The backup: the database, the spool and its key.
    let backup = tempfile::tempdir().unwrap();
    let (dump, data) = (
        backup.path().join("returns.dump"),
        here.folder.path().to_owned(),
    );
    std::fs::write(&dump, dump_postgres(&name_of(&here.databases.returns_db))).unwrap();
    for part in ["spool", "spool.key"] {
        copy_folder(&data.join(part), &backup.path().join(part));
    }
    here.in_gateway("RENAME TABLE elsewhere TO transfers").await;
    here.is_applied(&waiting.import_id).await;
    let tuesday = Worldpay::new()
        .returned("TR2", "R01")
        .returned("TR3", "R02");
    here.import("tue.csv", tuesday.clone(), proto::WaitLevel::Applied)
        .await;
    let here = here
        .while_stopped(|databases| {
            restore_postgres(&name_of(&databases.returns_db), &dump);
            std::fs::remove_dir_all(data.join("spool")).unwrap();
            std::fs::remove_file(data.join("spool.key")).unwrap();
            for part in ["spool", "spool.key"] {
                copy_folder(&backup.path().join(part), &data.join(part));
            }
            move_checkpoints(&data.join("bucket/checkpoints"), 1, backup.path());
        })
        .await;

    // The file that was on its way is read from the spool, and decided again.
    eventually("the fault names both positions", || async {
        let fault = here.fault("gateway").await;
        fault.contains("its cursor is at 4, the journal ends at 2")
    })
    .await;
    let wednesday = Worldpay::new().returned("TR4", "R01");
    here.import("wed.csv", wednesday, proto::WaitLevel::Decided)
        .await;
    let mut operations = here.operations().await;
    let ask = |database: &str, position, validate_only| proto::AdoptCursorRequest {
        database: database.to_owned(),
        position,
        request_id: String::new(),
        reason: "restored the backup of Monday".to_owned(),
        validate_only,
    };
    // The journal ends at 3 by now, but only row 1 is one that the gateway has: a person
    // knows that.
    let planned = operations
        .adopt_cursor(ask("gateway", 1, true))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            planned.previous_cursor.unwrap().position,
            planned.new_cursor.unwrap().position
        ),
        (4, 1)
    );
    for database in ["gateway", "rallypay"] {
        operations
            .adopt_cursor(ask(database, 1, false))
            .await
            .unwrap();
    }
    eventually("the feeds go on", || async {
        here.rallypay(RETURNED).await == "5"
    })
    .await;
    here.is_applied(&waiting.import_id).await;
    let holds = here.status().await.open_holds;
    assert_eq!(holds, 1, "the gateway has that return already");
    let again = operations
        .adopt_cursor(ask("gateway", 1, false))
        .await
        .unwrap_err();
    assert!(
        again.message().contains("nothing to adopt"),
        "{}",
        again.message()
    );

    // The lost file comes again: its returns have had their effect, and have no other.
    here.import("tue.csv", tuesday, proto::WaitLevel::Decided)
        .await;
    eventually("what the gateway has already is held", || async {
        here.status().await.open_holds == 3
    })
    .await;
    assert_eq!(here.gateway(REVERSALS).await, "5");
    assert_eq!(
        here.rallypay("SELECT max(lock_version) FROM transactions")
            .await,
        "1"
    );
    assert_eq!(
        value(
            &address(&here.databases.returns_db),
            "SELECT count(*) FROM adoptions WHERE actor = 'anonymous' AND adopted_at IS NOT NULL"
        )
        .await,
        "2"
    );
    let verdict = verdict_at(here.stack.url()).await;
    assert!(verdict.sound && verdict.missing.is_empty(), "{verdict:?}");
    here.stack.stop().await.unwrap();
}

#[test]
fn the_demo_runs_on_servers_and_refuses_databases_that_are_in_use() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (returns, gateway, rallypay) = runtime.block_on(async {
        (
            echeck_test_servers::postgres().await,
            echeck_test_servers::mariadb().await,
            echeck_test_servers::postgres().await,
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let demo = || {
        Command::new(binary("echeck"))
            .args(["demo", "--data", folder.path().to_str().unwrap()])
            .args(["--returns-db", &returns, "--gateway-db", &gateway])
            .args(["--rallypay-db", &rallypay])
            .output()
            .unwrap()
    };
    let shown = demo();
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.status.success(),
        "{}",
        String::from_utf8_lossy(&shown.stderr)
    );
    assert!(text.contains("40 read: 23 reversed, 8 returned"), "{text}");
    assert!(text.contains("this file was imported before"), "{text}");
    let again = demo();
    let error = String::from_utf8_lossy(&again.stderr);
    assert!(
        !again.status.success() && error.contains("already has rows in transfers"),
        "{error}"
    );
    assert!(!error.contains("echeck:echeck"), "{error}");
    let address = Address::parse("url", &gateway).unwrap();
    // Refunds are reversals too; ours are those of subtype SYSTEM.
    let ours = "SELECT count(*) FROM transfers WHERE subtype = 'SYSTEM'";
    let reversals = runtime.block_on(value(&address, ours));
    assert_eq!(reversals, "41");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_takes_no_writes_is_an_incident_that_says_so_and_ends_when_it_does() {
    let here = Deployment::start().await;
    here.add_debits(&["TR1"]).await;
    let database = name_of(&here.databases.rallypay_db);
    let ended = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    );
    psql(&[
        &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
        // Connections that are open keep the setting that they began with.
        &ended,
    ]);
    let file = Worldpay::new().returned("TR1", "R01");
    here.import("r.csv", file, proto::WaitLevel::Decided).await;
    let open = async || {
        let mut client = IncidentServiceClient::connect(here.stack.url())
            .await
            .unwrap();
        let ask = proto::ListIncidentsRequest {
            state: proto::IncidentState::Open.into(),
            ..proto::ListIncidentsRequest::default()
        };
        client
            .list_incidents(ask)
            .await
            .unwrap()
            .into_inner()
            .incidents
    };
    eventually("it is listed", || async {
        open().await.iter().any(|incident| {
            incident.cause == "TARGET_READ_ONLY" && incident.subject == "database:rallypay"
        })
    })
    .await;
    psql(&[
        &format!("ALTER DATABASE {database} RESET default_transaction_read_only"),
        &ended,
    ]);
    eventually("it is over", || async { open().await.is_empty() }).await;
    eventually("the return is there", || async {
        here.rallypay(RETURNED).await == "1"
    })
    .await;
    here.stack.stop().await.unwrap();
}
