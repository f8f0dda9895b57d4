//! The three services, each as a process that logs in with its own account and may make no
//! tables.

use std::path::{Path, PathBuf};
use std::process::Command;

use echeck::database::DatabaseArguments;
use echeck::stack::DataFolder;
use echeck_adapter::dialect::Dialect;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Process, binary, eventually, port};
use proto::import_file_request::Part;
use proto::operations_service_client::OperationsServiceClient;
use proto::returns_service_client::ReturnsServiceClient;
use tonic::transport::Channel;

use super::accounts::{App, Database, PASSWORD, Returns, target};

/// Databases with restricted accounts, and the services that run over them.
pub struct Deployment {
    pub returns: Returns,
    pub gateway: Database,
    pub rallypay: Database,
    folder: tempfile::TempDir,
    port: u16,
    processes: Vec<Process>,
}

impl Deployment {
    pub async fn start(gateway: Dialect, rallypay: Dialect) -> Self {
        let mut deployment = Self {
            returns: Returns::new().await,
            gateway: target(App::Gateway, gateway).await,
            rallypay: target(App::RallyPay, rallypay).await,
            folder: tempfile::tempdir().unwrap(),
            port: port(),
            processes: Vec::new(),
        };
        // The files of an embedded stack go unused, but for the key of the spool.
        DataFolder::open(deployment.folder.path(), &DatabaseArguments::default())
            .await
            .unwrap();
        let ports = (port(), port());
        for (name, port, url) in [
            ("gateway-adapter", ports.0, deployment.gateway.account.url()),
            (
                "rallypay-adapter",
                ports.1,
                deployment.rallypay.account.url(),
            ),
        ] {
            let config = adapter_config(port, url);
            std::fs::write(deployment.config(name), config).unwrap();
        }
        let config = deployment.returns_config(ports);
        std::fs::write(deployment.config("returns-service"), config).unwrap();
        deployment
            .returns
            .migrate(&deployment.config("returns-service"));
        for name in ["gateway-adapter", "rallypay-adapter", "returns-service"] {
            let process = deployment.process(name);
            deployment.processes.push(process);
        }
        eventually("the services listen", || async {
            deployment.status().await.is_some_and(|status| {
                status.databases.len() == 2
                    && status.databases.iter().all(|one| one.fault.is_empty())
            })
        })
        .await;
        deployment
    }

    fn config(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.toml"))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn returns_config(&self, (gateway, rallypay): (u16, u16)) -> String {
        let folder = self.folder.path();
        format!(
            "[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:{}\"\n\
             [database]\nurl = {:?}\nmigrate = false\n\
             [spool]\nfolder = {:?}\nidentity_file = {:?}\n\
             [holds]\nretry_first_ms = 50\nretry_longest_ms = 200\n\
             [databases.gateway]\nadapter = \"http://127.0.0.1:{gateway}\"\n\
             role = \"system_of_record\"\n\
             [databases.rallypay]\nadapter = \"http://127.0.0.1:{rallypay}\"\nrole = \"mirror\"\n\
             [sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n\
             [sources.worldpay_funding]\nformat = \"worldpay_funding_reject\"\n\
             [sources.nacha]\nformat = \"nacha\"\n",
            self.port,
            self.returns.database.account.url(),
            folder.join("spool"),
            folder.join("spool.key"),
        )
    }

    fn process(&self, name: &str) -> Process {
        let log = std::fs::File::create(self.log(name)).unwrap();
        Process::start(
            Command::new(binary(name))
                .arg("--config")
                .arg(self.config(name))
                .stdout(log.try_clone().unwrap())
                .stderr(log),
        )
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub async fn client(&self) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::connect(self.url()).await.unwrap()
    }

    pub async fn operations(&self) -> OperationsServiceClient<Channel> {
        OperationsServiceClient::connect(self.url()).await.unwrap()
    }

    /// `None` while nobody listens.
    async fn status(&self) -> Option<proto::GetStatusResponse> {
        let mut client = OperationsServiceClient::connect(self.url()).await.ok()?;
        let status = client.get_status(proto::GetStatusRequest {}).await;
        status.ok().map(tonic::Response::into_inner)
    }

    pub async fn open_holds(&self) -> u64 {
        self.status().await.unwrap().open_holds
    }

    pub async fn fault(&self, database: &str) -> String {
        let followers = self.status().await.unwrap().databases;
        let follower = followers.into_iter().find(|one| one.database == database);
        follower.unwrap().fault
    }

    pub async fn import(
        &self,
        source: &str,
        file: impl Into<Vec<u8>>,
        wait: proto::WaitLevel,
    ) -> proto::Import {
        let header = proto::ImportFileHeader {
            source: source.to_owned(),
            file_name: "file".to_owned(),
            wait: wait.into(),
            ..proto::ImportFileHeader::default()
        };
        let parts = [Part::Header(header), Part::Chunk(file.into())]
            .map(|part| proto::ImportFileRequest { part: Some(part) });
        let mut request = tonic::Request::new(tokio_stream::iter(parts));
        request.set_timeout(std::time::Duration::from_secs(60));
        let answer = self.client().await.import_file(request).await;
        answer.unwrap().into_inner().file_import.unwrap()
    }

    /// Puts a payment of 50.00 into both databases. Its other ids follow from `id`.
    pub async fn add(&self, id: &str, kind: &str, state: &str, ach_trace: &str) {
        let transfer = format!(
            "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, ach_trace, \
             messages, tags, application, merchant_identity, created_at, updated_at) \
             VALUES ('{id}', '{kind}', '{state}', 5000, 'FNX{id}', '8399{id}', '{ach_trace}', \
             '[]', '{{}}', 'AP', 'ID', '2026-11-01 12:00:00', '2026-11-01 12:00:00')"
        );
        self.gateway.run(&transfer).await;
        let transaction = format!(
            "INSERT INTO transactions (transfer_id, status, amount_cents, created_at, updated_at) \
             VALUES ('{id}', '{}', 5000, '2026-11-01 12:00:00', '2026-11-01 12:00:00')",
            state.to_ascii_lowercase()
        );
        self.rallypay.run(&transaction).await;
    }

    /// Stops the services in order; none has told a password.
    pub fn stop(self) {
        for process in self.processes.into_iter().rev() {
            assert_eq!(process.stop(), Some(0), "a drained service ends well");
        }
        for name in ["gateway-adapter", "rallypay-adapter", "returns-service"] {
            let log = std::fs::read_to_string(self.folder.path().join(format!("{name}.log")));
            assert!(!log.unwrap().contains(PASSWORD), "{name} logs a password");
        }
    }
}

fn adapter_config(port: u16, url: &str) -> String {
    format!(
        "[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:{port}\"\n[target]\nurl = {url:?}\ncreate_tables = false\n"
    )
}

/// What an adapter says of a target that it refuses to start on.
pub fn refusal_of_adapter(name: &str, target: &Database) -> String {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("adapter.toml");
    std::fs::write(&config, adapter_config(port(), target.account.url())).unwrap();
    refusal(name, &config)
}

/// What a service says that refuses to start.
fn refusal(name: &str, config: &Path) -> String {
    let mut command = Command::new(binary(name));
    let done = command.arg("--config").arg(config).output().unwrap();
    assert!(!done.status.success(), "{name} must not start");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

/// What the returns service says, with its tables there but without some of its rights.
pub async fn refusal_of_returns(returns: &Returns, change: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    DataFolder::open(folder.path(), &DatabaseArguments::default())
        .await
        .unwrap();
    let config = folder.path().join("returns.toml");
    let text = format!(
        "[access]\nanonymous_roles = \"admin,adapter_client\"\n[server]\nlisten = \"127.0.0.1:{}\"\n[database]\nurl = {:?}\nmigrate = false\n\
         [spool]\nfolder = {:?}\nidentity_file = {:?}\n\
         [databases.gateway]\nadapter = \"http://127.0.0.1:1\"\nrole = \"system_of_record\"\n\
         [sources.nacha]\nformat = \"nacha\"\n",
        port(),
        returns.database.account.url(),
        folder.path().join("spool"),
        folder.path().join("spool.key"),
    );
    std::fs::write(&config, text).unwrap();
    returns.migrate(&config);
    returns.database.run(change).await;
    refusal("returns-service", &config)
}
