//! The whole system in one process, for a laptop and for tests. The three services have their own
//! ports and databases, and call each other over gRPC as they do anywhere else.

mod data;
mod trust;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use echeck_adapter::config::AdapterConfig;
use echeck_service::clock::{Clock as _, Clocks, SystemClock};
use echeck_service::config::Settings;
use echeck_service::tls::Connection;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub use data::DataFolder;
pub use trust::{Holder, OwnTrust};

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

/// What every adapter and its section `[access]` needs.
struct AdapterStart<'a> {
    service: Service,
    holder: Holder,
    read_config: fn(&Settings) -> AdapterConfig,
    port: u16,
    url: &'a str,
    /// The caller's settings.
    more: &'a str,
}

/// A stack that is starting.
struct Starting<'a> {
    options: &'a StackOptions,
    data: &'a DataFolder,
    trust: Option<&'a OwnTrust>,
    services: Vec<RunningService>,
}

impl Starting<'_> {
    async fn gateway_adapter(&mut self) -> Result<SocketAddr> {
        let start = AdapterStart {
            service: Service::GatewayAdapter,
            holder: Holder::GatewayAdapter,
            read_config: gateway_adapter::read_config,
            port: self.options.ports.gateway,
            url: self.data.gateway().url(),
            more: &self.options.gateway,
        };
        self.adapter(start).await
    }

    async fn rallypay_adapter(&mut self) -> Result<SocketAddr> {
        let start = AdapterStart {
            service: Service::RallypayAdapter,
            holder: Holder::RallypayAdapter,
            read_config: rallypay_adapter::read_config,
            port: self.options.ports.rallypay,
            url: self.data.rallypay().url(),
            more: &self.options.rallypay,
        };
        self.adapter(start).await
    }

    async fn adapter(&mut self, adapter: AdapterStart<'_>) -> Result<SocketAddr> {
        let AdapterStart {
            service,
            holder,
            read_config,
            port,
            url,
            more,
        } = adapter;
        let protection = self.protection(
            holder,
            &[
                (Holder::Returns, &["adapter_client"]),
                (Holder::Operator, &["reader", "operator"]),
            ],
        );
        // The caller's settings come first, so that they may be keys outside any table.
        let settings = Settings::from_toml(&format!(
            "{more}\n[server]\nlisten = \"127.0.0.1:{port}\"\n[target]\nurl = {url:?}\n{protection}"
        ))?;
        let config = read_config(&settings);
        settings.finish()?;
        let clocks = self.options.clocks.clone();
        start(service, &mut self.services, |sender, stop| {
            echeck_adapter::serve::run(config, clocks, stop, announce(sender))
        })
        .await
    }

    /// The sections `[server.tls]` and `[access]` of a program, with its callers and their roles.
    fn protection(&self, holder: Holder, callers: &[(Holder, &[&str])]) -> String {
        self.tls(holder) + &self.access(callers)
    }

    fn tls(&self, holder: Holder) -> String {
        let section = self.trust.map(|trust| trust.server_section(holder));
        section.unwrap_or_default()
    }

    fn access(&self, callers: &[(Holder, &[&str])]) -> String {
        if self.trust.is_none() {
            return format!("[access]\nanonymous_roles = {EVERYTHING:?}\n");
        }
        let caller = |(caller, roles): &(Holder, &[&str])| {
            let identity = caller.identity();
            format!("[access.certificates.{identity:?}]\nroles = {roles:?}\n")
        };
        callers.iter().map(caller).collect()
    }

    async fn returns(&mut self, gateway: SocketAddr, rallypay: SocketAddr) -> Result<SocketAddr> {
        let (options, data) = (self.options, self.data);
        let more = self.settings_of_returns()?;
        let gateway = url(gateway, self.trust);
        let rallypay = match options.rallypay_at {
            Some(address) => url(address, None),
            None => url(rallypay, self.trust),
        };
        let settings = Settings::from_toml(&format!(
            "[server]\nlisten = \"127.0.0.1:{}\"\n\
             {more}[database]\nurl = {:?}\n\
             [spool]\nfolder = {:?}\nidentity_file = {:?}\n\
             [databases.gateway]\nadapter = {gateway:?}\nrole = \"system_of_record\"\n\
             [databases.rallypay]\nadapter = {rallypay:?}\nrole = \"mirror\"\n{}",
            options.ports.returns,
            data.returns().url(),
            data.spool_folder(),
            data.spool_key(),
            options.returns
        ))?;
        let config = returns_service::Config::read(settings)?;
        let clocks = options.clocks.clone();
        start(Service::Returns, &mut self.services, |sender, stop| {
            returns_service::run(config, clocks, stop, announce(sender))
        })
        .await
    }

    /// What the caller leaves to us. One who names a bucket, or how the journal is proven, or who may
    /// call, gets that.
    fn settings_of_returns(&self) -> Result<String> {
        let given = Settings::from_toml(&self.options.returns)?;
        let given = given.root();
        let mut more = String::new();
        if !given.has("bucket") {
            let url = format!("file://{}", self.data.bucket().display());
            more = format!("[bucket]\nurl = {url:?}\n");
        }
        if !given.has("journal") {
            let key = self.data.journal_key();
            more += &format!("[journal]\nsigning_key_file = {key:?}\ncheckpoint_every_ms = 1000\n");
        }
        more += &self.tls(Holder::Returns);
        if !given.has("access") {
            more += &self.access(&[(Holder::Operator, &EVERYTHING)]);
        }
        if let Some(trust) = self.trust {
            let (certificate, key) = trust.certificate(Holder::Returns);
            let ca = trust.ca();
            more += &format!(
                "[adapter_tls]\nca_file = {ca:?}\ncertificate_file = {certificate:?}\n\
                 key_file = {key:?}\n"
            );
        }
        Ok(more)
    }
}

/// The roles of somebody who may do everything that people do. An adapter's client is no person; in
/// clear, nothing keeps the two apart.
const EVERYTHING: [&str; 6] = [
    "reader",
    "importer",
    "operator",
    "approver",
    "admin",
    "adapter_client",
];

/// An address as clients want it.
fn url(address: SocketAddr, trust: Option<&OwnTrust>) -> String {
    match trust {
        Some(_) => format!("https://{address}"),
        None => format!("http://{address}"),
    }
}
