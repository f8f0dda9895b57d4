//! The returns service as a process of its own.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use echeck_service::clock::Clocks;
use echeck_service::config::{Settings, process_environment};
use echeck_service::{failpoint, privacy, shutdown, telemetry};
use returns_service::Config;

/// Imports eCheck return files, keeps the journal, feeds the databases, answers the API.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  returns-service --config /etc/echeck/returns-service.toml\n  \
                  ECHECK__DATABASE__URL=postgres://owner@db/returns returns-service --config … --migrate\n  \
                  returns-service --config /etc/echeck/returns-service.toml --check"
)]
struct Arguments {
    /// The configuration file; every key of it can be overridden by ECHECK__SECTION__KEY.
    #[arg(long, env = "ECHECK_CONFIG")]
    config: Option<PathBuf>,
    /// Bring the tables of the returns database up to date, even if database.migrate is false, and
    /// exit. Needs an account that owns them.
    #[arg(long)]
    migrate: bool,
    /// Check the configuration, the returns database, and each adapter with its target, and exit: with
    /// 1 if something is wrong. Changes nothing, except that a SQLite file that is missing is created
    /// empty.
    #[arg(long, conflicts_with = "migrate")]
    check: bool,
    /// Encrypt the spool, and what is sealed in the returns database, to the first key of
    /// spool.identity, and exit.
    #[arg(long, conflicts_with_all = ["migrate", "check"])]
    re_encrypt: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    privacy::keep_to_owner();
    let _failpoints = failpoint::setup();
    let arguments = Arguments::parse();
    let settings = Settings::load(arguments.config.as_deref(), process_environment())?;
    let config = Config::read(settings)?;
    if arguments.check {
        return check(config).await;
    }
    let telemetry = telemetry::init(config.telemetry(), "returns-service")?;

    if arguments.migrate {
        return returns_service::migrate(config)
            .await
            .context("the returns database was not brought up to date");
    }
    if arguments.re_encrypt {
        return returns_service::re_encrypt(config)
            .await
            .context("not everything was encrypted again");
    }
    let shutdown = shutdown::on_signal();
    let ended = returns_service::run(config, Clocks::of_machine(), shutdown, |address| {
        tracing::info!(%address, "the returns service listens");
    })
    .await;
    telemetry.end().await;
    ended.context("the returns service stopped")
}

/// Prints what was checked, a line each.
async fn check(config: Config) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "good  configuration")?;
    drop(out);
    let checked = returns_service::check(config).await;
    let mut out = std::io::stdout().lock();
    for one in &checked {
        match &one.found {
            Ok(found) => writeln!(out, "good  {}: {found}", one.what)?,
            Err(why) => writeln!(out, "FAIL  {}: {why}", one.what)?,
        }
    }
    anyhow::ensure!(
        checked.iter().all(|one| one.found.is_ok()),
        "not everything that the service needs is there"
    );
    Ok(())
}
