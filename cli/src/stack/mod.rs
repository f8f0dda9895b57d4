//! The whole system in one process, for a laptop and for tests: the three services, each
//! with its own port and its own database, talking gRPC to each other as they do
//! anywhere else.

mod data;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use echeck_adapter::config::AdapterConfig;
use echeck_service::clock::SystemClock;
use echeck_service::config::Settings;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use data::DataFolder;

use crate::database::DatabaseArguments;

/// The ports of `echeck up`. 0 takes any free one.
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

/// The sources of an embedded stack, where the caller brings none.
pub const DEFAULT_SOURCES: &str = r#"
[sources.nacha]
format = "nacha"

[sources.worldpay_returns]
format = "worldpay_echeck_return"

[sources.worldpay_funding]
format = "worldpay_funding_reject"
"#;

/// What to start.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Where the databases and received files are kept.
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
}

impl StackOptions {
    /// The usual stack with its data in `data`.
    #[must_use]
    pub fn new(data: &Path, ports: Ports) -> Self {
        Self {
            data: data.to_owned(),
            databases: DatabaseArguments::default(),
            ports,
            returns: DEFAULT_SOURCES.to_owned(),
            gateway: String::new(),
            rallypay: String::new(),
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
    shutdown: CancellationToken,
    services: Vec<JoinHandle<Result<()>>>,
}

impl Stack {
    /// Starts the three services: the adapters first, then what calls them.
    ///
    /// # Errors
    /// When a setting is wrong, a database does not fit, or a port is taken.
    pub async fn start(options: &StackOptions) -> Result<Self> {
        let data = DataFolder::open(&options.data, &options.databases).await?;
        let shutdown = CancellationToken::new();
        let mut services = Vec::new();
        let gateway = start_adapter(
            "adapter of the gateway's database",
            gateway_adapter::read_config,
            (
                options.ports.gateway,
                data.gateway().url(),
                &options.gateway,
            ),
            &shutdown,
            &mut services,
        )
        .await?;
        let rallypay = start_adapter(
            "adapter of RallyPay's database",
            rallypay_adapter::read_config,
            (
                options.ports.rallypay,
                data.rallypay().url(),
                &options.rallypay,
            ),
            &shutdown,
            &mut services,
        )
        .await?;
        let returns = start_returns(
            options,
            &data,
            (gateway, rallypay),
            &shutdown,
            &mut services,
        )
        .await?;
        Ok(Self {
            returns,
            gateway,
            rallypay,
            data,
            shutdown,
            services,
        })
    }

    /// The address of the returns service as clients want it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.returns)
    }

    /// Stops everything and waits until it has.
    ///
    /// # Errors
    /// When a service had stopped by itself with an error.
    pub async fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        for service in self.services {
            service.await.context("a service panicked")??;
        }
        Ok(())
    }
}

/// Starts a service, and waits for the address it listens on, or for its error if it ends
/// before it does.
async fn start<F, E>(
    name: &str,
    services: &mut Vec<JoinHandle<Result<()>>>,
    run: impl FnOnce(oneshot::Sender<SocketAddr>) -> F,
) -> Result<SocketAddr>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<anyhow::Error>,
{
    let (tell, bound) = oneshot::channel();
    let running = run(tell);
    let service = tokio::spawn(async move { running.await.map_err(Into::into) });
    if let Ok(address) = bound.await {
        services.push(service);
        return Ok(address);
    }
    let error = match service.await.context("it panicked")? {
        Ok(()) => anyhow!("it ended by itself"),
        Err(error) => error,
    };
    Err(error.context(format!("the {name} did not start")))
}

/// Hands the address on. Nobody waits for it any more only when the stack has failed already.
fn announce(tell: oneshot::Sender<SocketAddr>) -> impl FnOnce(SocketAddr) {
    move |address| {
        let _ = tell.send(address);
    }
}

async fn start_adapter(
    name: &str,
    read_config: fn(&Settings) -> AdapterConfig,
    (port, url, more): (u16, &str, &str),
    shutdown: &CancellationToken,
    services: &mut Vec<JoinHandle<Result<()>>>,
) -> Result<SocketAddr> {
    // What the caller adds comes first, so that it may be keys outside any table.
    let settings = Settings::from_toml(&format!(
        "{more}\n[server]\nlisten = \"127.0.0.1:{port}\"\n[target]\nurl = {url:?}\n"
    ))?;
    let config = read_config(&settings);
    settings.finish()?;
    let stop = shutdown.clone();
    start(name, services, |tell| {
        echeck_adapter::serve::run(config, Arc::new(SystemClock), stop, announce(tell))
    })
    .await
}

async fn start_returns(
    options: &StackOptions,
    data: &DataFolder,
    (gateway, rallypay): (SocketAddr, SocketAddr),
    shutdown: &CancellationToken,
    services: &mut Vec<JoinHandle<Result<()>>>,
) -> Result<SocketAddr> {
    // A caller who names a bucket of their own gets that one.
    let bucket = if Settings::from_toml(&options.returns)?.root().has("bucket") {
        String::new()
    } else {
        let url = format!("file://{}", data.bucket().display());
        format!("[bucket]\nurl = {url:?}\n")
    };
    let settings = Settings::from_toml(&format!(
        "[server]\nlisten = \"127.0.0.1:{}\"\n\
         {bucket}[database]\nurl = {:?}\n\
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
    let stop = shutdown.clone();
    start("returns service", services, |tell| {
        returns_service::run(config, Arc::new(SystemClock), stop, announce(tell))
    })
    .await
}
