//! The command line that all adapters share.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use echeck_service::clock::{Clock as _, Clocks, SystemClock};
use echeck_service::config::{ConfigError, Settings, process_environment};
use echeck_service::telemetry::{self, TelemetryConfig, TelemetryError};
use echeck_service::{ErrorChain, failpoint, privacy, shutdown};

use crate::check::TargetCheck;
use crate::config::AdapterConfig;
use crate::serve::{self, AdapterRunError};

/// The arguments of an adapter.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct AdapterArgs {
    /// The configuration file (TOML). A variable such as ECHECK__SERVER__LISTEN overrides a key.
    #[arg(long, value_name = "FILE", env = "ECHECK_CONFIG")]
    config: Option<PathBuf>,
    /// Check the configuration and the target's schema, change nothing, and exit.
    #[arg(long)]
    check: bool,
    /// With --check: try everything that the adapter can do with this transfer (fail, return,
    /// reverse, release, restore, reapply) in a transaction that is rolled back.
    #[arg(long = "try", value_name = "TRANSFER", requires = "check")]
    try_transfer: Option<String>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Run(#[from] AdapterRunError),
}

/// Runs the adapter `name` from its command line until it is asked to stop. The exit code is 0, or
/// 1 after an error, which is printed to stderr.
pub async fn main(
    name: &'static str,
    about: &'static str,
    read_config: fn(&Settings) -> AdapterConfig,
) -> ExitCode {
    privacy::keep_to_owner();
    let command = AdapterArgs::command().name(name).about(about);
    let args = AdapterArgs::from_arg_matches(&command.get_matches());
    let _failpoints = failpoint::setup();
    match execute(args.unwrap_or_else(|error| error.exit()), name, read_config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When stderr is closed, nobody can be notified.
            let _ = writeln!(std::io::stderr(), "error: {}", ErrorChain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn execute(
    args: AdapterArgs,
    name: &'static str,
    read_config: fn(&Settings) -> AdapterConfig,
) -> Result<(), CommandError> {
    let settings = Settings::load(args.config.as_deref(), process_environment())?;
    let log = TelemetryConfig::read(&settings.root());
    let config = read_config(&settings);
    settings.finish()?;
    let telemetry = telemetry::init(&log, name)?;
    if args.check {
        let now = SystemClock.now();
        let found = serve::check_only(&config, args.try_transfer.as_deref(), now).await?;
        print(&found);
        return Ok(());
    }
    let ended = serve::run(config, Clocks::of_machine(), shutdown::on_signal(), |_| {}).await;
    telemetry.end().await;
    Ok(ended?)
}

fn print(found: &TargetCheck) {
    let mut out = std::io::stdout();
    let version = found.facts.as_ref().map_or("", |facts| &facts.version);
    // A closed stdout is not a fault of the check.
    let _ = writeln!(out, "ok: the mapping fits ({version})");
    if !found.tried.is_empty() {
        let _ = writeln!(out, "ok: tried and rolled back: {}", found.tried.join(", "));
    }
    for table in &found.missing_tables {
        let _ = writeln!(
            out,
            "note: the adapter will create the table {table} when it starts"
        );
    }
    for warning in &found.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
}
