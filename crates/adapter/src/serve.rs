//! Starts an adapter: opens the target, checks that the mapping fits, then serves. A program and
//! a process that embeds the adapter share this.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_proto::adapter::v1::adapter_service_server::{AdapterServiceServer, SERVICE_NAME};
use echeck_service::clock::Clocks;
use echeck_service::server::{Health, Refusals, ServeError, Served};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tracing::{info, warn};

use crate::api::AdapterApi;
use crate::apply::Target;
use crate::check::{TargetCheck, check, check_deeply};
use crate::config::AdapterConfig;
use crate::dialect::DbError;
use crate::late_target::LateTarget;

/// How often a target that is away is tried.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// Why an adapter did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum AdapterRunError {
    /// The target cannot be opened.
    #[error(transparent)]
    Target(#[from] DbError),
    /// The adapter's own tables are missing and could not be created.
    #[error("the adapter could not create its own tables ({error}); an operator can run:\n{sql}")]
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

/// Runs an adapter until `shutdown` is canceled. `on_bound` gets the address as soon as
/// connections are accepted.
///
/// # Errors
/// See [`AdapterRunError`]; nothing is served unless the mapping fits. A target at whose address
/// nobody answers is waited for: the adapter says so to whoever asks.
pub async fn run(
    config: AdapterConfig,
    clocks: Clocks,
    shutdown: CancellationToken,
    on_bound: impl FnOnce(SocketAddr),
) -> Result<(), AdapterRunError> {
    let target = match open(&config).await {
        Ok(target) => {
            prepare(&config, &target).await?;
            target
        }
        Err(AdapterRunError::Target(error)) => open_late(&config, error, &shutdown).await?,
        Err(error) => return Err(error),
    };
    let bound = config.server.bind().await?;
    info!(
        address = %bound.local_addr(),
        database = target.database.shown(),
        profile = target.mapping.settings().profile,
        "listening"
    );
    let health = Health::new(&[SERVICE_NAME]);
    let probed = Arc::clone(&target.database);
    health.watch(config.health_interval, shutdown.clone(), move || {
        let probed = Arc::clone(&probed);
        async move { probed.probe().await.map_err(|error| error.to_string()) }
    });
    let service = AdapterServiceServer::new(AdapterApi::new(
        target,
        clocks.clone(),
        config.target.limits,
    ))
    .max_decoding_message_size(config.server.max_message_bytes);
    let mut routes = RoutesBuilder::default();
    routes.add_service(service);
    on_bound(bound.local_addr());
    let served = Served {
        routes,
        health,
        access: config.access,
        refusals: Refusals::default(),
        clock: clocks.machine,
        metrics: config.metrics,
    };
    Ok(bound.serve(served, shutdown).await?)
}

/// Checks configuration and target without changing anything, and serves nothing. With a transfer,
/// everything that the adapter can do is tried with it, and rolled back.
///
/// # Errors
/// When the target cannot be opened, or the mapping does not fit.
pub async fn check_only(
    config: &AdapterConfig,
    try_transfer: Option<&str>,
    now: DateTime<Utc>,
) -> Result<TargetCheck, AdapterRunError> {
    let target = open(config).await?;
    let mut found = check_deeply(&target, try_transfer, now).await;
    if !config.target.create_tables {
        found = found.demanding_own_tables();
    }
    without_faults(&target, found)
}

async fn open(config: &AdapterConfig) -> Result<Target, AdapterRunError> {
    let database = config.target.open().await?;
    let mapping = Arc::clone(&config.mapping);
    Ok(Target::new(database, mapping, config.name.clone()))
}

/// Creates what is missing, and refuses a target that does not fit.
async fn prepare(config: &AdapterConfig, target: &Target) -> Result<(), AdapterRunError> {
    create_own_tables(config, target).await?;
    let found = without_faults(target, check(target).await.demanding_own_tables())?;
    for warning in &found.warnings {
        warn!(database = target.database.shown(), "{warning}");
    }
    Ok(())
}

/// A target that could not be opened because nobody answers there. It is prepared as soon as it can
/// be; until then each call says what is wrong.
async fn open_late(
    config: &AdapterConfig,
    error: DbError,
    shutdown: &CancellationToken,
) -> Result<Target, AdapterRunError> {
    let late = LateTarget::new(&config.target);
    let Some(late) = late.filter(|_| matches!(error, DbError::Unavailable(_))) else {
        return Err(error.into());
    };
    if !config.target.is_away().await {
        return Err(error.into());
    }
    warn!(%error, "the target is away; it is used as soon as it answers");
    let (late, mapping) = (Arc::new(late), Arc::clone(&config.mapping));
    let target = Target::new(late.clone(), mapping, config.name.clone());
    let (config, waited, shutdown) = (config.clone(), target.clone(), shutdown.clone());
    tokio::spawn(async move {
        let mut said = String::new();
        while !shutdown.is_cancelled() {
            let opened = late.open().await.map_err(AdapterRunError::from);
            let prepared = match opened {
                Ok(()) => prepare(&config, &waited).await,
                Err(error) => Err(error),
            };
            let Err(error) = prepared else {
                info!(
                    database = waited.database.shown(),
                    "the target answers, and is used"
                );
                return;
            };
            let why = error.to_string();
            if why != said {
                warn!(why, "the target cannot be used yet");
                said = why;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    });
    Ok(target)
}

/// Checks first, so that an account without the right to create tables can start where an operator
/// has created them.
async fn create_own_tables(config: &AdapterConfig, target: &Target) -> Result<(), AdapterRunError> {
    if !config.target.create_tables || check(target).await.missing_tables.is_empty() {
        return Ok(());
    }
    let sql = target.database.dialect().owned_tables_sql();
    let created = target.database.create_owned_tables().await;
    created.map_err(|error| AdapterRunError::OwnTables { error, sql })
}

fn without_faults(target: &Target, found: TargetCheck) -> Result<TargetCheck, AdapterRunError> {
    if found.faults.is_empty() {
        return Ok(found);
    }
    Err(AdapterRunError::Misfit {
        target: target.database.shown().to_owned(),
        faults: found.faults,
    })
}
