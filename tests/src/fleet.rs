//! The three programs as processes of their own, on one machine.

use std::path::Path;
use std::process::Command;

use echeck::database::DatabaseArguments;
use echeck::stack::DataFolder;
use echeck_proto::returns::v1::returns_service_client::ReturnsServiceClient;
use echeck_test_servers::port;
use sqlx::SqlitePool;
use tonic::transport::Channel;

use crate::{Process, binary, eventually};

/// Three processes over databases in a folder. Whoever calls may do everything.
pub struct Fleet {
    pub returns: Process,
    pub rallypay: Process,
    pub gateway: Process,
    /// Where the returns service listens.
    pub port: u16,
    pub data: DataFolder,
}

impl Fleet {
    /// Starts them in a folder; `more` is the rest of each program's configuration.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn start(folder: &Path, more: impl Fn(&str) -> String) -> Self {
        Self::start_on(folder, &DatabaseArguments::default(), more).await
    }

    /// The same with databases that may be elsewhere.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn start_on(
        folder: &Path,
        databases: &DatabaseArguments,
        more: impl Fn(&str) -> String,
    ) -> Self {
        let data = DataFolder::open(folder, databases)
            .await
            .expect("the data folder opens");
        let adapter = |name: &str, url: &str| {
            let port = port();
            let own = format!("[target]\nurl = {url:?}\n");
            let config = listening(port) + &own + &more(name);
            (port, serve(name, folder, &config))
        };
        let (gateway_port, gateway) = adapter("gateway-adapter", data.gateway().url());
        let (rallypay_port, rallypay) = adapter("rallypay-adapter", data.rallypay().url());
        let port = port();
        let own = format!(
            "[database]\nurl = {:?}\n\
             [spool]\nfolder = {:?}\nidentity_file = {:?}\n\
             [databases.gateway]\nadapter = \"http://127.0.0.1:{gateway_port}\"\nrole = \"system_of_record\"\n\
             [databases.rallypay]\nadapter = \"http://127.0.0.1:{rallypay_port}\"\nrole = \"mirror\"\n",
            data.returns().url(),
            folder.join("spool"),
            folder.join("spool.key"),
        );
        let name = "returns-service";
        let returns = serve(name, folder, &(listening(port) + &own + &more(name)));
        Self {
            returns,
            rallypay,
            gateway,
            port,
            data,
        }
    }

    /// A connection to the returns service, once it listens.
    pub async fn connect(&self) -> Channel {
        connect(self.port).await
    }

    /// Adds a debit of 50.00 that succeeded to both databases.
    ///
    /// # Panics
    /// When one does not take it.
    pub async fn add_debit(&self, id: &str) {
        let transfer = format!(
            "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, application, \
             merchant_identity, created_at, updated_at) VALUES ('{id}', 'DEBIT', 'SUCCEEDED', 5000, \
             'FNX{id}', '8399{id}', 'AP', 'ID', '2026-11-01', '2026-11-01')"
        );
        let transaction = format!(
            "INSERT INTO transactions (transfer_id, amount_cents, status, created_at, updated_at) \
             VALUES ('{id}', 5000, 'succeeded', '2026-11-01', '2026-11-01')"
        );
        for (url, sql) in [
            (self.data.gateway().url(), transfer),
            (self.data.rallypay().url(), transaction),
        ] {
            let owner = SqlitePool::connect(url).await.expect("it opens");
            let sql = sqlx::AssertSqlSafe(sql);
            sqlx::query(sql).execute(&owner).await.expect("it is taken");
        }
    }
}

fn listening(port: u16) -> String {
    format!(
        "[access]\nanonymous_roles = \"admin,adapter_client\"\n\
         [server]\nlisten = \"127.0.0.1:{port}\"\n"
    )
}

/// Starts a program of this workspace with a configuration. Its log is in the folder.
///
/// # Panics
/// When it cannot be started.
pub fn serve(name: &str, folder: &Path, config: &str) -> Process {
    start(&binary(name), name, folder, config)
}

/// Starts a program from anywhere with a configuration. Its log is in the folder.
///
/// # Panics
/// When it cannot be started.
pub fn start(program: &Path, name: &str, folder: &Path, config: &str) -> Process {
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, config).expect("the folder can be written");
    let log = std::fs::File::create(folder.join(format!("{name}.log"))).expect("so can the log");
    let mut command = Command::new(program);
    Process::start(command.arg("--config").arg(&path).stderr(log))
}

/// A connection to a returns service on this machine, once it listens.
///
/// # Panics
/// When it does not.
pub async fn connect(port: u16) -> Channel {
    let url = format!("http://127.0.0.1:{port}");
    eventually("the service listens", || async {
        ReturnsServiceClient::connect(url.clone()).await.is_ok()
    })
    .await;
    let endpoint = Channel::from_shared(url).expect("it is an address");
    endpoint.connect().await.expect("it listens")
}
