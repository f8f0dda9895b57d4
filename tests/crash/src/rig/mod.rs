//! The rig: database servers, an SFTP server, two copies of each service, the proxies between
//! them, a bucket, and the three databases as their owners see them.

mod config;
mod listener;
mod mariadb;
mod outbox;
mod port;
mod postgres;
mod proxy;
mod schema;
mod service;
mod standby;
pub mod trust;
mod upsets;
mod wire;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use echeck_test_servers::smtp::{Security, SmtpServer};
use echeck_test_servers::sshd::Sshd;
use tokio::task::JoinHandle;

pub use listener::{GONE, Listener};
pub use mariadb::MariaDb;
pub use outbox::{After, Landed, MOVED_TO, Outbox, UNFINISHED};
pub use postgres::Postgres;
pub use proxy::{Cut, Cutter, Front};
pub use schema::REFUSING_MERCHANT;
pub use service::{CopyId, Service, Services};
pub use upsets::{Upsets, now};

use crate::db::Db;
use crate::world::World;
use config::{Addresses, Outside};
use port::Ports;
use wire::Protocol;

/// Which databases a campaign runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// Three SQLite files: only processes are killed.
    Sqlite,
    /// PostgreSQL for the returns and the Rails app, MariaDB for the gateway.
    Servers,
}

/// How long another replica waits before it takes over an import, in milliseconds.
pub const LEASE_MS: u64 = 600;

/// What stays from round to round.
pub struct Machines {
    began: std::time::Instant,
    folder: tempfile::TempDir,
    binaries: PathBuf,
    ports: Ports,
    /// The servers; none on SQLite.
    pub servers: Option<Servers>,
    /// The acquirer's.
    sshd: Sshd,
    /// Takes the mails to owners of endpoints, and alerts.
    mail: Arc<SmtpServer>,
}

/// The two database servers, and a proxy in front of each database.
pub struct Servers {
    /// The returns database and the Rails app's.
    pub postgres: Postgres,
    /// The gateway's database.
    pub mariadb: MariaDb,
    /// The proxies: returns, gateway, Rails app.
    pub cutters: [Cutter; 3],
    ports: [u16; 3],
}

impl Machines {
    /// Starts the servers.
    ///
    /// # Errors
    /// When one is not installed or does not start.
    pub async fn start(backend: Backend, binaries: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("echeck-crash-").tempdir()?;
        // PostgreSQL runs under an account of its own and must get through.
        std::fs::set_permissions(
            folder.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )?;
        let mut ports = Ports::default();
        let servers = match backend {
            Backend::Sqlite => None,
            Backend::Servers => Some(Servers::start(folder.path(), &mut ports).await?),
        };
        ports.keep();
        Ok(Self {
            began: std::time::Instant::now(),
            folder,
            binaries: binaries.canonicalize()?,
            ports,
            servers,
            sshd: Sshd::start(),
            mail: Arc::new(SmtpServer::start(Security::Plain, None).await),
        })
    }

    /// Where everything is written.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a line to the campaign's log, with the time since it began.
    pub fn log(&self, what: &str) {
        let at_ms = self.began.elapsed().as_millis();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder().join("campaign.log"));
        // A campaign goes on without its log.
        let _ = log.and_then(|mut log| writeln!(log, "{at_ms:>8} ms  {what}"));
    }

    /// Keeps the folder, for a person to look at.
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }
}

impl Servers {
    async fn start(folder: &Path, ports: &mut Ports) -> Result<Self> {
        let postgres = Postgres::start(folder, ports.take()?).await?;
        let mariadb = MariaDb::start(folder, ports.take()?).await?;
        let in_front = [ports.take()?, ports.take()?, ports.take()?];
        let [returns, gateway, rallypay] = in_front;
        let cutters = [
            Cutter::start(returns, postgres.port, Protocol::Postgres).await?,
            Cutter::start(gateway, mariadb.port, Protocol::MySql).await?,
            Cutter::start(rallypay, postgres.port, Protocol::Postgres).await?,
        ];
        Ok(Self {
            postgres,
            mariadb,
            cutters,
            ports: in_front,
        })
    }
}

/// The databases of a round: the URLs for the services, and the direct ways for the checks.
struct Databases {
    /// Returns, gateway, Rails app.
    urls: [String; 3],
    direct: [Db; 3],
}

/// One round's system.
pub struct Rig {
    /// The world that the round is about.
    pub world: Arc<World>,
    /// The returns database.
    pub returns: Db,
    /// The gateway's database, as its owner sees it.
    pub gateway: Db,
    /// The Rails app's database, as its owner sees it.
    pub rallypay: Db,
    /// The processes.
    pub services: Arc<Services>,
    /// The addresses of the copies of the returns service.
    pub urls: Vec<String>,
    /// In front of the copies of each adapter: gateway, Rails app.
    pub fronts: [Front; 2],
    /// The folders at the acquirer.
    pub outboxes: Vec<Outbox>,
    /// The folder that is the bucket.
    pub bucket: PathBuf,
    /// The key that opens what is archived.
    pub spool_key: PathBuf,
    /// Whom the system tells of everything.
    pub listener: Listener,
    /// Takes the mails to owners of endpoints, of every round.
    pub mail: Arc<SmtpServer>,
    /// When something happened to the returns services or their database.
    pub upsets: Arc<Upsets>,
    /// Objects of the bucket that were opened and found right: the key, and the hash.
    pub opened: Mutex<HashMap<String, String>>,
    supervisor: JoinHandle<()>,
    round: u64,
}

impl Rig {
    /// Makes a round's databases and starts the system on them.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(
        machines: &mut Machines,
        world: World,
        round: u64,
        environment: &[(String, String)],
    ) -> Result<Self> {
        let folder = machines.folder().join(format!("round-{round}"));
        std::fs::create_dir_all(&folder)?;
        let databases = make_databases(machines, &folder, round).await?;
        let ports = &mut machines.ports;
        let mut take = || ports.take();
        let addresses = Addresses {
            returns: [take()?, take()?],
            gateway: [take()?, take()?],
            rallypay: [take()?, take()?],
            gateway_front: take()?,
            rallypay_front: take()?,
        };
        let fronts = [
            Front::start(addresses.gateway_front, addresses.gateway.to_vec()).await?,
            Front::start(addresses.rallypay_front, addresses.rallypay.to_vec()).await?,
        ];
        let upsets = Arc::new(Upsets::default());
        let services = Arc::new(Services::new(&machines.binaries, upsets.clone()));
        let (spool_key, bucket) = (config::make_spool_key(&folder)?, folder.join("bucket"));
        let outboxes = Outbox::make_all(&folder)?;
        let outside = Outside {
            spool_key: &spool_key,
            bucket: &bucket,
            sshd: &machines.sshd,
            outboxes: &outboxes,
            mail_port: machines.mail.port,
        };
        for service in [Service::Gateway, Service::RallyPay, Service::Returns] {
            for number in 0..2 {
                let text = config::of(
                    (service, number),
                    &addresses,
                    &databases.urls,
                    world.policy,
                    &outside,
                );
                let file = folder.join(format!("{}-{number}.toml", service.binary()));
                std::fs::write(&file, text)?;
                services.add((service, number), file, environment.to_vec())?;
            }
        }
        let supervisor = service::supervise(services.clone());
        let [returns, gateway, rallypay] = databases.direct;
        let listener = Listener::start(round).await;
        let first = format!("https://127.0.0.1:{}", addresses.returns[0]);
        listener.subscribe(&first).await?;
        Ok(Self {
            listener,
            mail: machines.mail.clone(),
            world: Arc::new(world),
            returns,
            gateway,
            rallypay,
            supervisor,
            services,
            urls: addresses
                .returns
                .iter()
                .map(|port| format!("https://127.0.0.1:{port}"))
                .collect(),
            fronts,
            outboxes,
            bucket,
            spool_key,
            upsets,
            opened: Mutex::default(),
            round,
        })
    }

    /// Ends the round: kills the processes and drops the databases.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn end(self, machines: &mut Machines) -> Result<()> {
        self.supervisor.abort();
        self.services.end();
        for db in [&self.returns, &self.gateway, &self.rallypay] {
            db.close().await;
        }
        if let Some(servers) = &mut machines.servers {
            let round = self.round;
            servers.postgres.remove(&format!("returns_{round}")).await?;
            servers
                .postgres
                .remove(&format!("rallypay_{round}"))
                .await?;
            servers.mariadb.remove(&format!("gateway_{round}")).await?;
        }
        machines.ports.give_back();
        Ok(())
    }
}

async fn make_databases(machines: &Machines, folder: &Path, round: u64) -> Result<Databases> {
    let (urls, owners) = match &machines.servers {
        None => {
            let url = |name: &str| format!("sqlite://{}", folder.join(name).display());
            let urls = [url("returns.db"), url("gateway.db"), url("rallypay.db")];
            let made = urls.clone().map(|url| format!("{url}?mode=rwc"));
            (urls, made)
        }
        Some(servers) => {
            let names = ["returns", "gateway", "rallypay"].map(|name| format!("{name}_{round}"));
            servers.postgres.create(&names[0]).await?;
            servers.mariadb.create(&names[1]).await?;
            servers.postgres.create(&names[2]).await?;
            let [returns, gateway, rallypay] = servers.ports;
            let (postgres, mariadb) = (servers.postgres.port, servers.mariadb.port);
            (
                [
                    Postgres::url_at(returns, &names[0]),
                    MariaDb::url_at(gateway, &names[1]),
                    Postgres::url_at(rallypay, &names[2]),
                ],
                [
                    Postgres::url_at(postgres, &names[0]),
                    MariaDb::url_at(mariadb, &names[1]),
                    Postgres::url_at(postgres, &names[2]),
                ],
            )
        }
    };
    let [returns, gateway, rallypay] = owners;
    let direct = [
        Db::open(&returns)?,
        Db::open(&gateway)?,
        Db::open(&rallypay)?,
    ];
    schema::make_gateway(&direct[1]).await?;
    schema::make_rallypay(&direct[2]).await?;
    Ok(Databases { urls, direct })
}
