//! The command line that all adapters share.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use echeck_service::clock::SystemClock;
use echeck_service::config::{ConfigError, Settings, process_environment};
use echeck_service::telemetry::{self, TelemetryConfig, TelemetryError};
use echeck_service::{failpoint, shutdown};

use crate::config::AdapterConfig;
use crate::serve::{self, RunError};

/// What an adapter is told on its command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file (TOML). Each key can be overridden by a variable such as
    /// ECHECK__SERVER__LISTEN.
    #[arg(long, value_name = "FILE", env = "ECHECK_CONFIG")]
    config: Option<PathBuf>,
    /// Check the configuration and the target's schema, change nothing, and exit.
    #[arg(long)]
    check: bool,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Runs an adapter from its command line until it is asked to stop. The exit code is 0, or 1
/// after a fault, which is told on stderr.
pub async fn main(args: Args, read_config: fn(&Settings) -> AdapterConfig) -> ExitCode {
    let _failpoints = failpoint::setup();
    match execute(args, read_config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(
    args: Args,
    read_config: fn(&Settings) -> AdapterConfig,
) -> Result<(), CommandError> {
    let settings = Settings::load(args.config.as_deref(), process_environment())?;
    let log = TelemetryConfig::read(&settings.root().section("log"));
    let config = read_config(&settings);
    settings.finish()?;
    telemetry::init(&log)?;
    if args.check {
        let report = serve::check_only(&config).await?;
        tell(&report);
        return Ok(());
    }
    Ok(serve::run(config, Arc::new(SystemClock), shutdown::on_signal(), |_| {}).await?)
}

fn tell(report: &crate::check::Report) {
    let mut out = std::io::stdout();
    let version = report.facts.as_ref().map_or("", |facts| &facts.version);
    // A reader that has gone is no fault of the check.
    let _ = writeln!(out, "ok: the mapping fits ({version})");
    for table in &report.missing_tables {
        let _ = writeln!(out, "note: {table} will be made at the start");
    }
    for warning in &report.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
}
