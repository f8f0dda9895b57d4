//! Starts an adapter: opens the target, checks that the mapping fits, then serves. A binary
//! and a process that embeds the adapter share this.

use std::net::SocketAddr;
use std::sync::Arc;

use echeck_proto::adapter::v1::adapter_service_server::{AdapterServiceServer, SERVICE_NAME};
use echeck_service::clock::SharedClock;
use echeck_service::server::{Health, ServeError};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tracing::{info, warn};

use crate::apply::Target;
use crate::check::{Report, check};
use crate::config::AdapterConfig;
use crate::dialect::DbError;
use crate::service::Adapter;

/// Why an adapter did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target cannot be opened.
    #[error("{0}")]
    Target(#[from] DbError),
    /// The adapter's own tables are missing and could not be made.
    #[error("the adapter could not make its own tables ({error}); an operator can run:\n{sql}")]
    OwnTables {
        /// Why not.
        error: DbError,
        /// What to run instead.
        sql: &'static str,
    },
    /// The mapping does not fit the live schema.
    #[error("the target {target} does not fit the configuration:\n  {}", faults.join("\n  "))]
    Misfit {
        /// The target as it may be shown.
        target: String,
        /// Every fault.
        faults: Vec<String>,
    },
    /// The server failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs an adapter until `shutdown` is cancelled. `on_bound` is told the address as soon as
/// connections are taken.
///
/// # Errors
/// See [`RunError`]; nothing is served unless the mapping fits.
pub async fn run(
    config: AdapterConfig,
    clock: SharedClock,
    shutdown: CancellationToken,
    on_bound: impl FnOnce(SocketAddr),
) -> Result<(), RunError> {
    let target = open(&config).await?;
    create_own_tables(&config, &target).await?;
    let report = check(&target).await.demanding_own_tables();
    refuse_faults(&target, &report)?;
    for warning in &report.warnings {
        warn!(target = target.database.shown(), "{warning}");
    }
    let bound = config.server.bind().await?;
    info!(
        address = %bound.local_addr(),
        target = target.database.shown(),
        profile = target.plan.profile(),
        "listening"
    );
    let health = Health::new(&[SERVICE_NAME]);
    let probed = Arc::clone(&target.database);
    health.watch(config.health_interval, shutdown.clone(), move || {
        let probed = Arc::clone(&probed);
        async move { probed.probe().await.map_err(|error| error.to_string()) }
    });
    let service = AdapterServiceServer::new(Adapter::new(target, clock))
        .max_decoding_message_size(config.server.max_message_bytes);
    let mut routes = RoutesBuilder::default();
    routes.add_service(service);
    on_bound(bound.local_addr());
    Ok(bound.serve(routes, health, shutdown).await?)
}

/// Checks configuration and target without changing anything in it, and serves nothing.
///
/// # Errors
/// When the target cannot be opened, or the mapping does not fit.
pub async fn check_only(config: &AdapterConfig) -> Result<Report, RunError> {
    let target = open(config).await?;
    let report = check(&target).await;
    let report = if config.target.create_tables {
        report
    } else {
        report.demanding_own_tables()
    };
    refuse_faults(&target, &report)?;
    Ok(report)
}

async fn open(config: &AdapterConfig) -> Result<Target, RunError> {
    Ok(Target {
        database: config.target.open().await?,
        plan: Arc::clone(&config.plan),
        adapter: config.name.clone(),
    })
}

/// Asks first, so that an account without the right to make tables can start where an
/// operator has made them.
async fn create_own_tables(config: &AdapterConfig, target: &Target) -> Result<(), RunError> {
    if !config.target.create_tables || check(target).await.missing_tables.is_empty() {
        return Ok(());
    }
    let sql = target.database.dialect().owned_tables_sql();
    let made = target.database.create_owned_tables().await;
    made.map_err(|error| RunError::OwnTables { error, sql })
}

fn refuse_faults(target: &Target, report: &Report) -> Result<(), RunError> {
    if report.faults.is_empty() {
        return Ok(());
    }
    Err(RunError::Misfit {
        target: target.database.shown().to_owned(),
        faults: report.faults.clone(),
    })
}
