//! The whole system in one process, for a laptop and for tests. The three services have their own
//! ports and databases, and call each other over gRPC as they do anywhere else.

mod data;
mod start;
mod trust;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use echeck_service::clock::{Clock as _, Clocks, SystemClock};
use echeck_service::tls::Connection;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub use data::DataFolder;
pub use trust::{Holder, OwnTrust};

use crate::database::DatabaseArguments;
use start::{Starting, url};

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

/// What the programs of a stack trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Certificates of the data folder's own CA.
    Own,
    /// Whoever reaches the loopback address: everything is in clear, and everybody may do
    /// everything.
    Everybody,
}

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
    /// What they trust.
    pub trust: Trust,
}

impl StackOptions {
    /// The usual stack with its data in `data`, which trusts everybody at the loopback address.
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
            trust: Trust::Everybody,
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
    /// Its certificates, where it has some.
    pub trust: Option<OwnTrust>,
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
        let trust = match options.trust {
            Trust::Own => Some(OwnTrust::open(data.folder(), SystemClock.now())?),
            Trust::Everybody => None,
        };
        let mut starting = Starting {
            options,
            data: &data,
            trust: trust.as_ref(),
            services: Vec::new(),
        };
        let gateway = starting.gateway_adapter().await?;
        let rallypay = starting.rallypay_adapter().await?;
        let returns = starting.returns(gateway, rallypay).await?;
        let services = starting.services;
        Ok(Self {
            returns,
            gateway,
            rallypay,
            data,
            trust,
            services,
            _lock: lock,
        })
    }

    /// The address of the returns service as clients want it.
    pub fn url(&self) -> String {
        url(self.returns, self.trust.as_ref())
    }

    /// A connection to the returns service, as whoever runs the stack.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connect(&self) -> Result<Channel> {
        let tls = self
            .trust
            .as_ref()
            .map(|trust| trust.client(Holder::Operator));
        let tls = tls.transpose()?;
        let connection = Connection::new(&self.url(), tls.as_ref()).map_err(|why| anyhow!(why))?;
        connection.connect().await.map_err(|why| anyhow!(why))
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
