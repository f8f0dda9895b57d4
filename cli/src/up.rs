//! `echeck up`: the whole stack in one process, until Ctrl-C stops it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use echeck_service::config::Settings;
use echeck_service::telemetry::TelemetryConfig;
use echeck_service::{shutdown, telemetry};
use serde_json::{Value, json};

use crate::client::{Profiles, Reach};
use crate::database::DatabaseArguments;
use crate::exit;
use crate::output::{Details, bold, out, print_error, print_json};
use crate::stack::{Holder, OwnTrust, Ports, Stack, StackOptions, Trust};
use crate::words::shell_word;

/// The profile under which `echeck` finds this stack.
pub(crate) const PROFILE: &str = "local";

/// How `echeck up` runs.
#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// The folder of the databases and of received files.
    #[arg(long, default_value = "data/echeck")]
    pub(crate) data: PathBuf,
    /// The port of the returns service.
    #[arg(long, default_value_t = Ports::FIXED.returns)]
    pub(crate) port: u16,
    /// The port of the gateway's adapter.
    #[arg(long, default_value_t = Ports::FIXED.gateway)]
    pub(crate) gateway_port: u16,
    /// The port of RallyPay's adapter.
    #[arg(long, default_value_t = Ports::FIXED.rallypay)]
    pub(crate) rallypay_port: u16,
    /// A TOML file with [sources.…] and other settings of the returns service. It replaces the
    /// built-in sources nacha, `worldpay_returns` and `worldpay_funding`.
    #[arg(long)]
    pub(crate) settings: Option<PathBuf>,
    /// Where the databases are.
    #[command(flatten)]
    pub(crate) databases: DatabaseArguments,
}

/// Starts the stack and waits for SIGINT or SIGTERM. Returns the exit code.
pub(crate) async fn run(arguments: &UpArguments, as_json: bool) -> Result<u8> {
    let log = Settings::from_toml("[log]\nfilter = \"warn\"")?;
    telemetry::init(&TelemetryConfig::read(&log.root()), "echeck")?;
    let ports = Ports {
        returns: arguments.port,
        gateway: arguments.gateway_port,
        rallypay: arguments.rallypay_port,
    };
    let mut options = StackOptions::new(&arguments.data, ports);
    options.databases = arguments.databases.clone();
    options.trust = Trust::Own;
    if let Some(path) = &arguments.settings {
        options.returns = std::fs::read_to_string(path)
            .with_context(|| format!("the settings {} cannot be read", path.display()))?;
    }
    let stopping = shutdown::on_signal();
    let stack = Stack::start(&options).await?;
    let profile = remember(&stack).unwrap_or_else(|error| {
        print_error(&format!("the profile {PROFILE} is not saved: {error:#}"));
        None
    });
    match as_json {
        true => print_json(&addresses(&stack))?,
        false => announce(&stack, profile.as_deref())?,
    }
    stopping.cancelled().await;
    if !as_json {
        writeln!(out(), "stopping")?;
    }
    stack.stop().await?;
    Ok(exit::OK)
}

/// Where everything is.
fn addresses(stack: &Stack) -> Value {
    json!({
        "returns_service": stack.url(),
        "gateway_adapter": stack.gateway.to_string(),
        "rallypay_adapter": stack.rallypay.to_string(),
        "gateway_database": stack.data.gateway().to_string(),
        "rallypay_database": stack.data.rallypay().to_string(),
        "returns_database": stack.data.returns().to_string(),
    })
}

fn announce(stack: &Stack, profile: Option<&str>) -> Result<()> {
    writeln!(out(), "{}", bold("echeck is up"))?;
    let mut details = Details::new();
    details.add("returns service", stack.returns);
    details.add("gateway adapter", stack.gateway);
    details.add("rallypay adapter", stack.rallypay);
    details.add("gateway database", stack.data.gateway());
    details.add("rallypay database", stack.data.rallypay());
    details.add("returns database", stack.data.returns());
    details.print()?;
    let status = match profile {
        Some(PROFILE) => "echeck status".to_owned(),
        Some(_) => format!("echeck status --profile {PROFILE}"),
        None => format!("echeck status --server {} {}", stack.url(), flags(stack)),
    };
    writeln!(out(), "\nTry, in another terminal:")?;
    out().command(&status)?;
    let list = format!("{} list", stack.returns);
    out().command(&grpcurl(stack.trust.as_ref(), &list))?;
    writeln!(out(), "\nCtrl-C stops it.")?;
    Ok(())
}

/// Lets `echeck` find this stack by itself; gives the profile that is in use.
fn remember(stack: &Stack) -> Result<Option<String>> {
    let Some(trust) = &stack.trust else {
        return Ok(None);
    };
    let (cert, key) = trust.certificate(Holder::Operator);
    let reach = Reach {
        server: Some(stack.url()),
        ca: Some(trust.ca()),
        cert: Some(cert),
        key: Some(key),
        token_file: None,
    };
    let mut profiles = Profiles::load()?;
    profiles.remember(PROFILE, reach);
    profiles.save()?;
    Ok(profiles.current)
}

/// The flags that name the certificates.
fn flags(stack: &Stack) -> String {
    let Some(trust) = &stack.trust else {
        return String::new();
    };
    let [ca, cert, key] = files(trust);
    format!("--ca {ca} --cert {cert} --key {key}")
}

/// A command line of grpcurl, as whoever runs the stack.
pub(crate) fn grpcurl(trust: Option<&OwnTrust>, call: &str) -> String {
    let Some(trust) = trust else {
        return format!("grpcurl -plaintext {call}");
    };
    let [ca, cert, key] = files(trust);
    format!("grpcurl -cacert {ca} -cert {cert} -key {key} {call}")
}

/// The CA, and the certificate and key of the person who runs the stack, as words of a shell.
fn files(trust: &OwnTrust) -> [String; 3] {
    let (cert, key) = trust.certificate(Holder::Operator);
    [trust.ca(), cert, key].map(|file| shell_word(&file.display().to_string()))
}
