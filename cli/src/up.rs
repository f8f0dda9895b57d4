//! `echeck up`: the whole stack in one process, until Ctrl-C stops it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use echeck_service::config::Settings;
use echeck_service::telemetry::TelemetryConfig;
use echeck_service::{shutdown, telemetry};

use crate::database::DatabaseArguments;
use crate::output::{bold, out};
use crate::stack::{Ports, Stack, StackOptions};

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

/// Starts the stack and waits for SIGINT or SIGTERM.
pub(crate) async fn run(arguments: &UpArguments) -> Result<()> {
    let log = Settings::from_toml("[log]\nfilter = \"warn\"")?;
    telemetry::init(&TelemetryConfig::read(&log.root().section("log")))?;
    let ports = Ports {
        returns: arguments.port,
        gateway: arguments.gateway_port,
        rallypay: arguments.rallypay_port,
    };
    let mut options = StackOptions::new(&arguments.data, ports);
    options.databases = arguments.databases.clone();
    if let Some(path) = &arguments.settings {
        options.returns = std::fs::read_to_string(path)
            .with_context(|| format!("the settings {} cannot be read", path.display()))?;
    }
    let stopping = shutdown::on_signal();
    let stack = Stack::start(&options).await?;
    announce(&stack)?;
    stopping.cancelled().await;
    writeln!(out(), "stopping")?;
    stack.stop().await
}

fn announce(stack: &Stack) -> Result<()> {
    writeln!(out(), "{}", bold("echeck is up"))?;
    for (name, address) in [
        ("returns service", stack.returns),
        ("gateway adapter", stack.gateway),
        ("rallypay adapter", stack.rallypay),
    ] {
        writeln!(out(), "  {name:<18} {address}")?;
    }
    for (name, address) in [
        ("gateway database", stack.data.gateway()),
        ("rallypay database", stack.data.rallypay()),
        ("returns database", stack.data.returns()),
    ] {
        writeln!(out(), "  {name:<18} {address}")?;
    }
    writeln!(
        out(),
        "\nTry:\n  echeck status --server {url}\n  grpcurl -plaintext {address} list\n\nCtrl-C stops it.",
        url = stack.url(),
        address = stack.returns
    )?;
    Ok(())
}
