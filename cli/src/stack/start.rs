//! Starting the three services of a stack: the settings of each, and the address on which it listens.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, anyhow};
use echeck_adapter::config::AdapterConfig;
use echeck_service::config::Settings;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{DataFolder, Holder, OwnTrust, RunningService, Service, StackOptions};

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
pub(super) struct Starting<'a> {
    pub(super) options: &'a StackOptions,
    pub(super) data: &'a DataFolder,
    pub(super) trust: Option<&'a OwnTrust>,
    pub(super) services: Vec<RunningService>,
}

impl Starting<'_> {
    pub(super) async fn gateway_adapter(&mut self) -> Result<SocketAddr> {
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

    pub(super) async fn rallypay_adapter(&mut self) -> Result<SocketAddr> {
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

    pub(super) async fn returns(
        &mut self,
        gateway: SocketAddr,
        rallypay: SocketAddr,
    ) -> Result<SocketAddr> {
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
pub(super) fn url(address: SocketAddr, trust: Option<&OwnTrust>) -> String {
    match trust {
        Some(_) => format!("https://{address}"),
        None => format!("http://{address}"),
    }
}
