//! The whole system in one process, for a laptop and for tests. The three services have their own
//! ports and databases, and call each other over gRPC as they do anywhere else.

mod data;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use echeck_adapter::config::AdapterConfig;
use echeck_service::clock::Clocks;
use echeck_service::config::Settings;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use data::DataFolder;

use crate::database::DatabaseArguments;

/// The ports of `echeck up`. 0 is any free port.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// The returns service.
    pub returns: u16,
    /// The adapter of the core gateway's database.
    pub gateway: u16,
    /// The adapter of the RallyPay database.
    pub rallypay: u16,
}

impl Ports {
    /// The fixed ports.
    pub const FIXED: Self = Self {
        returns: 50051,
        gateway: 50052,
        rallypay: 50053,
    };
    /// Any free ports.
    pub const ANY: Self = Self {
        returns: 0,
        gateway: 0,
        rallypay: 0,
    };
}

/// The sources of an embedded stack, unless the caller names others.
pub const DEFAULT_SOURCES: &str = r#"
[sources.nacha]
format = "nacha"

[sources.worldpay_returns]
format = "worldpay_echeck_return"

[sources.worldpay_funding]
format = "worldpay_funding_reject"
"#;

/// What to start.
#[derive(Clone)]
pub struct StackOptions {
    /// The folder of the databases and of received files.
    pub data: PathBuf,
    /// Where the databases are, unless they are files in `data`.
    pub databases: DatabaseArguments,
    /// The ports.
    pub ports: Ports,
    /// More settings of the returns service, as TOML: `[sources.…]` at least.
    pub returns: String,
    /// More settings of the gateway's adapter, as TOML.
    pub gateway: String,
    /// More settings of RallyPay's adapter, as TOML.
    pub rallypay: String,
    /// Where the returns service finds RallyPay's adapter, if not where it listens.
    pub rallypay_at: Option<SocketAddr>,
    /// The clocks of all of them.
    pub clocks: Clocks,
}

impl StackOptions {
    /// The usual stack with its data in `data`.
    pub fn new(data: &Path, ports: Ports) -> Self {
        Self {
            data: data.to_owned(),
            databases: DatabaseArguments::default(),
            ports,
            returns: DEFAULT_SOURCES.to_owned(),
            gateway: String::new(),
            rallypay: String::new(),
            rallypay_at: None,
            clocks: Clocks::of_machine(),
        }
    }
}

/// A running stack.
pub struct Stack {
    /// Where the returns service listens.
    pub returns: SocketAddr,
    /// Where the gateway's adapter listens.
    pub gateway: SocketAddr,
    /// Where RallyPay's adapter listens.
    pub rallypay: SocketAddr,
    /// Its databases and files.
    pub data: DataFolder,
    services: Vec<RunningService>,
    /// Keeps other stacks away from the data folder.
    _lock: std::fs::File,
}

/// A running service, and what stops it.
struct RunningService {
    service: Service,
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
}

/// The services of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The adapter of the core gateway's database.
    GatewayAdapter,
    /// The adapter of the RallyPay database.
    RallypayAdapter,
    /// The returns service.
    Returns,
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::GatewayAdapter => "adapter of the gateway's database",
            Self::RallypayAdapter => "adapter of RallyPay's database",
            Self::Returns => "returns service",
        })
    }
}

impl Stack {
    /// Starts the three services: the adapters first, then what calls them.
    ///
    /// # Errors
    /// When a setting is wrong, a database does not fit, or a port is taken.
    pub async fn start(options: &StackOptions) -> Result<Self> {
        let data = DataFolder::open(&options.data, &options.databases).await?;
        let lock = data.lock()?;
        let mut services = Vec::new();
        let gateway = start_adapter(
            (Service::GatewayAdapter, gateway_adapter::read_config),
            (
                options.ports.gateway,
                data.gateway().url(),
                &options.gateway,
            ),
            &options.clocks,
            &mut services,
        )
        .await?;
        let rallypay = start_adapter(
            (Service::RallypayAdapter, rallypay_adapter::read_config),
            (
                options.ports.rallypay,
                data.rallypay().url(),
                &options.rallypay,
            ),
            &options.clocks,
            &mut services,
        )
        .await?;
        let adapters = (gateway, options.rallypay_at.unwrap_or(rallypay));
        let returns = start_returns(options, &data, adapters, &mut services).await?;
        Ok(Self {
            returns,
            gateway,
            rallypay,
            data,
            services,
            _lock: lock,
        })
    }

    /// The address of the returns service as clients want it.
    pub fn url(&self) -> String {
        format!("http://{}", self.returns)
    }

    /// Stops all services and waits until they have stopped.
    ///
    /// # Errors
    /// When a service had stopped by itself with an error.
    pub async fn stop(self) -> Result<()> {
        for running in &self.services {
            running.stop.cancel();
        }
        for running in self.services {
            running.task.await.context("a service panicked")??;
        }
        Ok(())
    }

    /// Stops one service and waits until it has stopped. The others continue without it.
    ///
    /// # Errors
    /// When it had stopped by itself with an error.
    pub async fn stop_service(&mut self, service: Service) -> Result<()> {
        while let Some(at) = self.services.iter().position(|one| one.service == service) {
            let running = self.services.remove(at);
            running.stop.cancel();
            running.task.await.context("a service panicked")??;
        }
        Ok(())
    }
}

/// Starts a service, and waits for the address it listens on, or for its error if it ends
/// before it does.
async fn start<F, E>(
    service: Service,
    services: &mut Vec<RunningService>,
    run: impl FnOnce(oneshot::Sender<SocketAddr>, CancellationToken) -> F,
) -> Result<SocketAddr>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<anyhow::Error>,
{
    let (sender, bound) = oneshot::channel();
    let stop = CancellationToken::new();
    let running = run(sender, stop.clone());
    let task = tokio::spawn(async move { running.await.map_err(Into::into) });
    if let Ok(address) = bound.await {
        services.push(RunningService {
            service,
            stop,
            task,
        });
        return Ok(address);
    }
    let error = match task.await.context("it panicked")? {
        Ok(()) => anyhow!("it ended by itself"),
        Err(error) => error,
    };
    Err(error.context(format!("the {service} did not start")))
}

/// Sends the address on. The receiver has gone only when the stack has failed already.
fn announce(sender: oneshot::Sender<SocketAddr>) -> impl FnOnce(SocketAddr) {
    move |address| {
        let _ = sender.send(address);
    }
}

async fn start_adapter(
    (service, read_config): (Service, fn(&Settings) -> AdapterConfig),
    (port, url, more): (u16, &str, &str),
    clocks: &Clocks,
    services: &mut Vec<RunningService>,
) -> Result<SocketAddr> {
    // The caller's settings come first, so that they may be keys outside any table.
    let settings = Settings::from_toml(&format!(
        "{more}\n[server]\nlisten = \"127.0.0.1:{port}\"\n[target]\nurl = {url:?}\n"
    ))?;
    let config = read_config(&settings);
    settings.finish()?;
    let clocks = clocks.clone();
    start(service, services, |sender, stop| {
        echeck_adapter::serve::run(config, clocks, stop, announce(sender))
    })
    .await
}

async fn start_returns(
    options: &StackOptions,
    data: &DataFolder,
    (gateway, rallypay): (SocketAddr, SocketAddr),
    services: &mut Vec<RunningService>,
) -> Result<SocketAddr> {
    // A caller who names a bucket, or how the journal is proven, gets that.
    let given = Settings::from_toml(&options.returns)?;
    let mut more = String::new();
    if !given.root().has("bucket") {
        let url = format!("file://{}", data.bucket().display());
        more = format!("[bucket]\nurl = {url:?}\n");
    }
    if !given.root().has("journal") {
        let key = data.journal_key();
        more += &format!("[journal]\nsigning_key_file = {key:?}\ncheckpoint_every_ms = 1000\n");
    }
    let settings = Settings::from_toml(&format!(
        "[server]\nlisten = \"127.0.0.1:{}\"\n\
         {more}[database]\nurl = {:?}\n\
         [spool]\nfolder = {:?}\nidentity_file = {:?}\n\
         [databases.gateway]\nadapter = \"http://{gateway}\"\nrole = \"system_of_record\"\n\
         [databases.rallypay]\nadapter = \"http://{rallypay}\"\nrole = \"mirror\"\n{}",
        options.ports.returns,
        data.returns().url(),
        data.spool_folder(),
        data.spool_key(),
        options.returns
    ))?;
    let config = returns_service::Config::read(settings)?;
    let clocks = options.clocks.clone();
    start(Service::Returns, services, |sender, stop| {
        returns_service::run(config, clocks, stop, announce(sender))
    })
    .await
}
