//! The service as a whole: what is opened, what runs beside what, and how it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use echeck_service::clock::SharedClock;
use echeck_service::server::{Health, ServeError};
use returns_alerts::diagnosis::{Examiner, Probe};
use returns_alerts::{Diagnoser, IncidentManager, IncidentReporter, StoreWatch};
use returns_feed::settle::SettlementRelease;
use returns_feed::{AdapterProbe, Feed, FeedTimes, Role};
use returns_import::adapter::Adapter;
use returns_import::{ImportFaults, Importer, Spool, SpoolError};
use returns_reports::Reporter;
use returns_reports::bucket::{Bucket, BucketError, BucketProbe};
use returns_sources::SourceProbe;
use returns_sources::schedule::Scheduler;
use returns_store::{Notifier, Replica, Store, StoreAddress, StoreError, StoreSettings};
use returns_webhooks::{
    EventPublisher, KeyEncryptor, Sender, SignedClient, SystemLookup, WebhookClient,
};
use secrecy::SecretString;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::api;
use super::api::Api;
use super::config::Config;
use crate::api::{IncidentApi, WebhookApi};

/// The largest message from or to an adapter. An answer to 10,000 keys, the contract's limit,
/// is larger than what a caller of ours may send.
const ADAPTER_MESSAGE_BYTES: usize = 64 << 20;

/// Why the service could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The returns database cannot be used.
    #[error("{0}")]
    Store(String),
    /// The spool cannot be used.
    #[error("the spool cannot be used: {0}")]
    Spool(String),
    /// The bucket cannot be used.
    #[error("the bucket cannot be used: {0}")]
    Bucket(String),
    /// The address of an adapter is no good.
    #[error("databases.{database}.adapter cannot be used: {why}")]
    Adapter {
        /// The database.
        database: String,
        /// What is wrong.
        why: String,
    },
    /// No database is the system of record.
    #[error("no database has role = \"system_of_record\"")]
    NoSystemOfRecord,
    /// Webhooks cannot be sent.
    #[error("webhooks cannot be sent: {0}")]
    Webhooks(String),
    /// The port could not be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Store(echeck_service::ErrorChain(&error).to_string())
    }
}

impl From<SpoolError> for ServiceError {
    fn from(error: SpoolError) -> Self {
        Self::Spool(echeck_service::ErrorChain(&error).to_string())
    }
}

impl From<BucketError> for ServiceError {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error.to_string())
    }
}

/// A new identity for the spool, as text for a key file.
#[must_use]
pub fn new_spool_identity() -> SecretString {
    Spool::new_identity()
}

/// Brings the tables of the returns database up to date, whatever `database.migrate` says, and
/// draws the journal's identity if it has none. Nothing else of the service is started.
///
/// # Errors
/// When the database cannot be opened, or its account may not change the tables.
pub async fn migrate(config: Config) -> Result<(), ServiceError> {
    let settings = StoreSettings {
        migrate: true,
        ..config.store
    };
    returns_store::open(&settings, Uuid::new_v4()).await?;
    tracing::info!("the tables of the returns database are up to date");
    Ok(())
}

/// Runs the service until `shutdown`, then drains. `on_bound` hears the address once it
/// listens.
///
/// # Errors
/// When something it needs cannot be opened, or the port cannot be served.
pub async fn run(
    config: Config,
    clock: SharedClock,
    shutdown: CancellationToken,
    on_bound: impl FnOnce(SocketAddr),
) -> Result<(), ServiceError> {
    let store = returns_store::open(&config.store, Uuid::new_v4()).await?;
    let spool = Spool::open(&config.spool_folder, &config.spool_identity)?
        .with_recipients(&config.spool_recipients);
    spool.sweep(clock.now())?;
    let bucket = config.bucket.as_ref().map(Bucket::open).transpose()?;
    let (incidents, signals) = IncidentReporter::new();

    let changes = Notifier::new();
    let adapters = adapters(&config)?;
    let system_of_record = adapters
        .iter()
        .find(|(_, role)| *role == Role::SystemOfRecord)
        .map(|(adapter, _)| adapter.clone())
        .ok_or(ServiceError::NoSystemOfRecord)?;
    let replica = Replica {
        store: store.clone(),
        name: replica_name(&config, Uuid::new_v4()).into(),
        lease: config.replica.lease,
    };
    let examiner = Arc::new(Examiner {
        store: store.clone(),
        probes: probes(&config, &adapters, bucket.as_ref(), &store, &clock),
        spool_folder: config.spool_folder.clone(),
        retention_days: config
            .locations
            .iter()
            .filter_map(|(source, location)| Some((source.clone(), location.retention_days?)))
            .collect(),
    });
    let mut alerts = config.alerts;
    let heartbeat = alerts.heartbeat.take();
    let look: Arc<dyn Diagnoser> = examiner.clone();
    let manager = Arc::new(IncidentManager::new(
        alerts,
        store.clone(),
        look,
        incidents.clone(),
        clock.clone(),
    ));
    let watch = Arc::new(StoreWatch::new(
        store.clone(),
        incidents.clone(),
        clock.clone(),
    ));
    let importer = Arc::new(Importer {
        store: store.clone(),
        replica,
        spool,
        system_of_record,
        sources: config.sources,
        clock: clock.clone(),
        changes: changes.clone(),
        batch_size: config.batch_size,
        holds: config.holds,
        concurrent: config.concurrent,
        incidents: incidents.clone(),
        faults: ImportFaults::default(),
    });
    let feeds = feeds(adapters, &importer, config.feed_batch_size);
    let follower = EventPublisher {
        store: store.clone(),
        replica: importer.replica.clone(),
        system_of_record: importer.system_of_record.database.clone(),
        clock: clock.clone(),
        changes: importer.changes.clone(),
    };
    let reporter = bucket.clone().map(|bucket| {
        Arc::new(Reporter {
            store: store.clone(),
            replica: importer.replica.clone(),
            bucket,
            spool: importer.spool.clone(),
            databases: databases(&feeds, &importer.system_of_record.database),
            clock: clock.clone(),
            changes: importer.changes.clone(),
            incidents: incidents.clone(),
            pauses: config.report_pauses,
        })
    });
    let settlement = Arc::new(SettlementRelease {
        store: store.clone(),
        replica: importer.replica.clone(),
        databases: databases(&feeds, &importer.system_of_record.database),
        system_of_record: importer.system_of_record.database.clone(),
        policy: config.ready,
        clock: clock.clone(),
        changes: importer.changes.clone(),
    });
    let jobs = Arc::new(Scheduler {
        store: store.clone(),
        replica: importer.replica.clone(),
        clock: clock.clone(),
        changes: changes.clone(),
        spool: importer.spool.clone(),
        sources: importer.sources.clone(),
        locations: config.locations,
        faults: importer.faults.clone(),
        incidents: incidents.clone(),
        databases: feeds
            .iter()
            .map(|feed| feed.database().to_owned())
            .collect(),
        reports: reporter.is_some(),
        max_file_bytes: config.max_file_bytes,
        retry: config.retry,
        plans: config.plans,
        running: Default::default(),
        tasks: TaskTracker::new(),
    });

    let lookup = Arc::new(SystemLookup);
    let client = WebhookClient::new(&config.webhooks.client, lookup, clock.clone())
        .map_err(ServiceError::Webhooks)?;
    let encryptor = KeyEncryptor::new(&config.spool_identity)
        .map_err(|error| ServiceError::Webhooks(error.to_string()))?;
    let webhooks = WebhookApi {
        store: store.clone(),
        client: SignedClient::new(client, encryptor, clock.clone()),
        clock: clock.clone(),
        changes: changes.clone(),
        incidents: incidents.clone(),
    };
    let sender = config.webhooks.enabled.then(|| {
        let parts = returns_webhooks::Parts {
            store: store.clone(),
            replica: importer.replica.clone(),
            client: webhooks.client.clone(),
            clock: clock.clone(),
            changes,
            incidents: incidents.clone(),
            owners: manager.clone(),
            jitter: returns_webhooks::any_number,
        };
        Arc::new(Sender::new(parts, config.webhooks.sender))
    });

    let bound = config.server.bind().await?;
    on_bound(bound.local_addr());
    let health = Health::new(api::SERVICE_NAMES);
    let probing = watch.clone();
    let watched = health.watch(Duration::from_secs(1), shutdown.clone(), move || {
        let watch = probing.clone();
        async move { watch.probe().await }
    });

    let mut workers = Workers::default();
    workers.start("imports", importer.clone().run(shutdown.clone()));
    workers.start("holds", importer.clone().run_holds(shutdown.clone()));
    workers.start("jobs", jobs.clone().run(shutdown.clone()));
    workers.start("settlement", settlement.clone().run(shutdown.clone()));
    workers.start("events", follower.run(shutdown.clone()));
    for feed in &feeds {
        workers.start("feed", feed.clone().run(shutdown.clone()));
    }
    if let Some(reporter) = reporter {
        workers.start("reports", reporter.run(shutdown.clone()));
    }
    if let Some(sender) = sender {
        workers.start("webhooks", sender.run(shutdown.clone()));
    }
    // Whatever the others report last is still heard.
    let deaf = CancellationToken::new();
    let attending = tokio::spawn(manager.clone().run(signals, deaf.clone()));
    workers.watch("alerts", attending.abort_handle());
    let beating = heartbeat.map(|settings| {
        let health = workers.health(watch);
        tokio::spawn(returns_alerts::beat(settings, health, shutdown.clone()))
    });
    workers.tasks.close();

    let api = Api::new(
        importer,
        feeds,
        (jobs, examiner),
        settlement,
        bucket,
        config.max_file_bytes,
        shutdown.clone(),
    );
    let incidents = IncidentApi::new(manager);
    let routes = api::routes(api, incidents, webhooks, config.server.max_message_bytes);
    let served = bound.serve(routes, health, shutdown.clone()).await;
    // Without a server there is nothing to work for; with a shutdown this changes nothing.
    shutdown.cancel();
    workers.tasks.wait().await;
    deaf.cancel();
    // These end by themselves with the shutdown; they have nothing to say.
    let _ = tokio::join!(watched, attending);
    if let Some(beating) = beating {
        let _ = beating.await;
    }
    Ok(served?)
}

/// What works beside the API, and whether it still does: a task that panicked is gone without
/// a word.
#[derive(Default)]
struct Workers {
    tasks: TaskTracker,
    handles: Vec<(&'static str, AbortHandle)>,
}

impl Workers {
    fn start(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(work).abort_handle();
        self.watch(name, handle);
    }

    fn watch(&mut self, name: &'static str, handle: AbortHandle) {
        self.handles.push((name, handle));
    }

    /// Tells whether the service is healthy: the returns database answers, and every worker
    /// lives.
    fn health(&self, store: Arc<StoreWatch>) -> impl Fn() -> Result<(), String> + Send + use<> {
        let handles = self.handles.clone();
        move || {
            if !store.is_up() {
                return Err("the returns database does not answer".to_owned());
            }
            match handles.iter().find(|(_, handle)| handle.is_finished()) {
                Some((name, _)) => Err(format!("the worker of the {name} has ended")),
                None => Ok(()),
            }
        }
    }
}

/// The name under which this process takes leases and claims. `nonce` keeps it apart from all
/// others. SQLite is used on one machine, mostly by one process: there the name is the same
/// at every start, so that a restart goes on at once with what the process before had.
fn replica_name(config: &Config, nonce: Uuid) -> String {
    if let Some(name) = &config.replica.name {
        return name.clone();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "replica",
        host => host,
    };
    match &config.store.address {
        StoreAddress::Sqlite(_) => host.to_owned(),
        StoreAddress::Postgres(_) => {
            format!("{host}-{}-{}", std::process::id(), nonce.simple())
        }
    }
}

/// The names of the databases, the system of record first.
fn databases(feeds: &[Arc<Feed>], system_of_record: &str) -> Vec<String> {
    let mut names: Vec<String> = feeds
        .iter()
        .map(|feed| feed.database().to_owned())
        .collect();
    names.sort_by_key(|name| (name != system_of_record, name.clone()));
    names
}

fn adapters(config: &Config) -> Result<Vec<(Adapter, Role)>, ServiceError> {
    config
        .databases
        .iter()
        .map(|database| {
            let adapter = Adapter::new(
                &database.name,
                &database.address,
                config.adapter_timeout,
                ADAPTER_MESSAGE_BYTES,
            )
            .map_err(|error| ServiceError::Adapter {
                database: database.name.clone(),
                why: error.to_string(),
            })?;
            Ok((adapter, database.role))
        })
        .collect()
}

fn feeds(
    adapters: Vec<(Adapter, Role)>,
    importer: &Arc<Importer>,
    batch_size: u32,
) -> Vec<Arc<Feed>> {
    let databases: Vec<String> = adapters
        .iter()
        .map(|(adapter, _)| adapter.database.clone())
        .collect();
    adapters
        .into_iter()
        .map(|(adapter, role)| {
            Arc::new(Feed {
                adapter,
                role,
                store: importer.store.clone(),
                replica: importer.replica.clone(),
                system_of_record: importer.system_of_record.database.clone(),
                databases: databases.clone(),
                batch_size,
                clock: importer.clock.clone(),
                changes: importer.changes.clone(),
                incidents: importer.incidents.clone(),
                importer: importer.clone(),
                stages: FeedTimes::default(),
                faulted: AtomicBool::new(true),
            })
        })
        .collect()
}

/// What the diagnosis checks, besides what it checks by itself.
fn probes(
    config: &Config,
    adapters: &[(Adapter, Role)],
    bucket: Option<&Bucket>,
    store: &Arc<dyn Store>,
    clock: &SharedClock,
) -> Vec<Arc<dyn Probe>> {
    let mut locations: Vec<_> = config.locations.iter().collect();
    locations.sort_by_key(|(source, _)| *source);
    let mut probes: Vec<Arc<dyn Probe>> = Vec::new();
    for (source, location) in locations {
        probes.push(Arc::new(SourceProbe {
            source: source.clone(),
            location: location.clone(),
            store: store.clone(),
            plans: config.plans.clone(),
            clock: clock.clone(),
        }));
    }
    for (adapter, _) in adapters {
        probes.push(Arc::new(AdapterProbe {
            adapter: adapter.clone(),
            clock: clock.clone(),
        }));
    }
    if let Some(bucket) = bucket {
        probes.push(Arc::new(BucketProbe(bucket.clone())));
    }
    probes
}
