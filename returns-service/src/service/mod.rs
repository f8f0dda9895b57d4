//! The service as a whole: what is opened, what runs beside what, and how it ends.

mod base;
mod check;
mod observer;
mod parts;
mod refusals;
mod reseal;
mod workers;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use echeck_service::ErrorChain;
use echeck_service::clock::{Clocks, SharedClock};
use echeck_service::server::{Bound, Health, ServeError, Served};
use returns_alerts::{
    FailedStarts, IncidentReporter, ProcessNotes, RunningProcess, Signal, StoreWatch, Vitals,
};
use returns_feed::settle::SettlementJob;
use returns_feed::{AdapterWatch, Feed, FeedJob};
use returns_import::hold::{DueHolds, HoldAlarm};
use returns_import::{Spool, SpoolError, SpoolKeeper};
use returns_model::incident::{Area, Cause, IncidentState, Problem, Subject};
use returns_reports::bucket::BucketError;
use returns_reports::{BucketWatch, ReporterJob};
use returns_store::{StoreError, StoreSettings};
use returns_stream::{StreamJob, StreamSettings};
use returns_verify::{DailyCheck, SignerJob};
use returns_webhooks::{EventPublisher, OwnerJob, SenderJob};
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::{
    self, Api, Apis, IncidentApi, RequestSweeper, TransferReads, Watches, WebhookApi,
};
use crate::config::Config;
use base::Base;
use observer::Observer;
use workers::{Failed, Workers};

pub use check::{Checked, check};
pub use reseal::re_encrypt;

use parts::ServiceParts;

/// How long the service lives before it has recovered from how the one before it ended.
const SETTLED_IN: Duration = Duration::from_secs(60);

/// How long a start may take until people are notified that it waits.
const LONGEST_START: Duration = Duration::from_secs(6);

/// The maximum of open incidents that are looked through at the start.
const MOST_OPEN: u32 = 1_000;

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
    /// The address of an adapter is not valid.
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
    /// A worker ended before the shutdown.
    #[error("{0}: start the service again")]
    Worker(String),
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Store(ErrorChain(&error).to_string())
    }
}

impl From<SpoolError> for ServiceError {
    fn from(error: SpoolError) -> Self {
        Self::Spool(ErrorChain(&error).to_string())
    }
}

impl From<BucketError> for ServiceError {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error.to_string())
    }
}

/// A new identity for the spool, as text for a key file.
pub fn new_spool_identity() -> SecretString {
    Spool::new_identity()
}

/// Brings the tables of the returns database up to date, even if `database.migrate` is false, and
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

/// Runs the service until `shutdown`, then drains. `on_bound` gets the address once it is listened
/// on.
///
/// # Errors
/// When something it needs cannot be opened, the port cannot be served, or a worker panics.
pub async fn run(
    mut config: Config,
    clocks: Clocks,
    shutdown: CancellationToken,
    on_bound: impl FnOnce(SocketAddr),
) -> Result<(), ServiceError> {
    // A worker that panics cancels this one, and leaves the caller's token alone.
    let stop = shutdown.child_token();
    let server = config.server.clone();
    let access = config.access.clone();
    let metrics = config.telemetry().metrics;
    let (base, signals, bound) = open(&config, clocks).await?;
    let notes = ProcessNotes::of(&config.spool_folder, &server.listen);
    let heartbeat = config.alerts.heartbeat.take();
    let limits = (config.batch_size, config.max_file_bytes);
    let hosts = config.hosts();
    let spool_folder = config.spool_folder.clone();
    let parts = ServiceParts::build(config, &base)?;
    let process = notes.begin(base.clock.now()).await;
    report_last_end(&base, &process);
    clear_other_hosts(&base, &hosts).await;
    on_bound(bound.local_addr());

    let workers = start(&base, &parts, spool_folder, &stop);
    let failed = workers.failed();
    let health = Health::new(api::SERVICE_NAMES);
    let watch = parts.watch.clone();
    let watched = health.watch(Duration::from_secs(1), stop.clone(), move || {
        let watch = watch.clone();
        async move { watch.probe().await }
    });
    // What the workers report last is still handled.
    let after_all = CancellationToken::new();
    let managing = tokio::spawn(parts.manager.clone().run(signals, after_all.clone()));
    let supervising = tokio::spawn(workers.supervise(stop.clone()));
    let beating = heartbeat.map(|settings| {
        let (watch, failed) = (parts.watch.clone(), failed.clone());
        let vitals = parts.vitals.clone();
        let healthy = move || check_health(&watch, &failed, &vitals);
        tokio::spawn(returns_alerts::beat(settings, healthy, stop.clone()))
    });

    let fresh_keys = tokio::spawn({
        let (access, stop) = (access.clone(), stop.clone());
        async move { access.keep_fresh(stop).await }
    });
    let (noted, refused) = refusals::channel();
    let recording = tokio::spawn(refusals::record(
        refused,
        base.store.clone(),
        base.clock.clone(),
        stop.clone(),
    ));
    let served = Served {
        routes: api::routes(apis(&base, &parts, limits, &stop), server.max_message_bytes),
        health,
        access,
        refusals: noted,
        clock: base.clocks.machine.clone(),
        metrics,
    };
    let served = bound.serve(served, stop.clone()).await;
    // Without a server there is nothing to work for; with a shutdown this changes nothing.
    stop.cancel();
    // Workers that panicked are in `failed`.
    let _ = supervising.await;
    after_all.cancel();
    // These end by themselves with the stop, and return nothing.
    let _ = tokio::join!(watched, managing, fresh_keys, recording);
    if let Some(beating) = beating {
        let _ = beating.await;
    }
    let worked = failed
        .why()
        .map_or(Ok(()), |why| Err(ServiceError::Worker(why)));
    let ended = served.map_err(ServiceError::from).and(worked);
    process
        .end(ended.as_ref().err().map(ServiceError::to_string))
        .await;
    ended
}

/// Reports that the process before this one ended without a shutdown.
fn report_last_end(base: &Base, process: &RunningProcess) {
    let Some(how) = &process.before else {
        return;
    };
    tracing::warn!(how, "the process before this one ended without a shutdown");
    let cause = Cause::ServiceCrashed { how: how.clone() };
    let problem = Problem::new(Subject::Service, cause, base.clock.now());
    base.incidents.report(problem);
}

/// Ends the incidents of servers that no source of the configuration has any more: no run will.
async fn clear_other_hosts(base: &Base, hosts: &HashSet<String>) {
    let open = base
        .store
        .incidents(Some(IncidentState::Open), None, MOST_OPEN)
        .await;
    for incident in open.unwrap_or_default() {
        let host = incident.subject.strip_prefix("host:");
        if let Some(host) = host.filter(|host| !hosts.contains(*host)) {
            let subject = Subject::Host(host.to_owned());
            base.incidents.clear(subject, Area::Reach, base.clock.now());
        }
    }
}

/// A service that has lived for a while has recovered from how the one before it ended.
async fn settle_in(incidents: IncidentReporter, clock: SharedClock, stop: CancellationToken) {
    returns_store::sleep(SETTLED_IN, &stop).await;
    if !stop.is_cancelled() {
        incidents.clear(Subject::Service, Area::Process, clock.now());
    }
    stop.cancelled().await;
}

/// Opens what the service needs from outside. People are notified when that fails, since nothing
/// else of the service runs then.
async fn open(
    config: &Config,
    clocks: Clocks,
) -> Result<(Base, UnboundedReceiver<Signal>, Bound), ServiceError> {
    let clock = clocks.work.clone();
    let notes = ProcessNotes::of(&config.spool_folder, &config.server.listen);
    let starts = FailedStarts::noted_by(notes);
    let mut opening = pin!(async {
        let (base, signals) = Base::open(config, clocks).await?;
        Ok((base, signals, config.server.bind().await?))
    });
    let opened: Result<_, ServiceError> = match timeout(LONGEST_START, &mut opening).await {
        Ok(opened) => opened,
        Err(_) => {
            let why = format!(
                "the returns database, or the disk of the spool, has not answered for {} s. It is \
                 locked, overloaded, or out of reach, or a new version changes the tables. The start \
                 goes on waiting",
                LONGEST_START.as_secs()
            );
            starts.waits(&config.alerts, &why, clock.now()).await;
            opening.await
        }
    };
    match &opened {
        Ok(_) => starts.started(&config.alerts, clock.now()).await,
        Err(error) => {
            let why = error.to_string();
            starts.failed(&config.alerts, &why, clock.now()).await;
        }
    }
    opened
}

/// Whether the heartbeat is sent: the returns database is available, every worker runs, and nothing
/// that is watched is lacking.
fn check_health(watch: &StoreWatch, failed: &Failed, vitals: &Vitals) -> Result<(), String> {
    if !watch.is_up() {
        return Err("the returns database is unavailable".to_owned());
    }
    failed.why().or_else(|| vitals.fault()).map_or(Ok(()), Err)
}

fn hold_alarm(base: &Base, parts: &ServiceParts) -> HoldAlarm {
    HoldAlarm {
        store: base.store.clone(),
        limits: parts.hold_limits,
        incidents: base.incidents.clone(),
        clock: base.clock.clone(),
    }
}

/// Starts everything that works beside the API.
fn start(
    base: &Base,
    parts: &ServiceParts,
    spool_folder: PathBuf,
    stop: &CancellationToken,
) -> Workers {
    let mut workers = Workers::new();
    workers.spawn("imports", parts.importer.clone().run(stop.clone()));
    workers.spawn("daily job", parts.scheduler.clone().run(stop.clone()));
    workers.job(spool_keeper(base, parts), base, stop);
    workers.job(DueHolds(parts.holds.clone()), base, stop);
    workers.job(hold_alarm(base, parts), base, stop);
    workers.job(SettlementJob(parts.settlement.clone()), base, stop);
    workers.job(publisher(base, parts), base, stop);
    workers.job(RequestSweeper(parts.requests.clone()), base, stop);
    for feed in &parts.feeds {
        workers.job(FeedJob::new(feed.clone()), base, stop);
        let watch = AdapterWatch::new(feed.clone(), parts.vitals.clone(), parts.patience);
        workers.job(watch, base, stop);
    }
    let observer = Observer::new(base.store.clone(), base.clock.clone(), spool_folder);
    workers.spawn("numbers", observer.run(stop.clone()));
    workers.spawn("clock", parts.clock_watch.clone().run(stop.clone()));
    let settling = settle_in(base.incidents.clone(), base.clock.clone(), stop.clone());
    workers.spawn("first minute", settling);
    let (checker, every) = (parts.checker.clone(), parts.verify_every);
    workers.job(DailyCheck::new(checker, every), base, stop);
    if let Some(signer) = SignerJob::new(&parts.checker, parts.checkpoint_every) {
        workers.job(signer, base, stop);
    }
    if let Some(reporter) = &parts.reporter {
        workers.job(ReporterJob::new(reporter.clone()), base, stop);
        let watch = BucketWatch::new(reporter.clone(), parts.vitals.clone());
        workers.job(watch, base, stop);
    }
    if let Some(sender) = &parts.sender {
        workers.job(SenderJob::new(sender.clone()), base, stop);
        workers.job(OwnerJob(sender.clone()), base, stop);
    }
    if let Some(settings) = &parts.stream {
        workers.job(stream_job(settings, base, parts), base, stop);
    }
    workers
}

fn spool_keeper(base: &Base, parts: &ServiceParts) -> SpoolKeeper {
    let (store, spool) = (base.store.clone(), base.spool.clone());
    let (clock, incidents) = (base.clock.clone(), base.incidents.clone());
    let watching = (parts.vitals.clone(), parts.patience);
    SpoolKeeper::new(store, spool, clock, incidents, watching)
}

fn stream_job(settings: &StreamSettings, base: &Base, parts: &ServiceParts) -> StreamJob {
    StreamJob::new(
        settings.clone(),
        base.store.clone(),
        base.incidents.clone(),
        base.clock.clone(),
        parts.patience,
    )
}

fn publisher(base: &Base, parts: &ServiceParts) -> EventPublisher {
    EventPublisher {
        store: base.store.clone(),
        system_of_record: parts.decider.gateway.database.clone(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
    }
}

/// What answers the calls.
fn apis(
    base: &Base,
    parts: &ServiceParts,
    (batch_size, max_file_bytes): (usize, u64),
    stop: &CancellationToken,
) -> Apis {
    let named = |feed: &Arc<Feed>| (feed.database().to_owned(), feed.clone());
    let returns = Api {
        store: base.calls.clone(),
        decider: parts.decider.clone(),
        holds: parts.holds.clone(),
        spool: base.spool.clone(),
        faults: parts.importer.faults.clone(),
        feeds: Arc::new(parts.feeds.iter().map(named).collect()),
        databases: parts.settlement.databases.clone().into(),
        scheduler: parts.scheduler.clone(),
        examiner: parts.examiner.clone(),
        incidents: parts.manager.clone(),
        settlement: parts.settlement.clone(),
        checker: parts.checker.clone(),
        bucket: base.bucket.clone(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
        watches: Watches::default(),
        reads: TransferReads::default(),
        batch_size,
        max_file_bytes,
        shutdown: stop.clone(),
        requests: parts.requests.clone(),
        two_people: parts.two_people,
    };
    let webhooks = WebhookApi {
        store: base.calls.clone(),
        client: parts.client.clone(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
        incidents: base.incidents.clone(),
        requests: parts.requests.clone(),
    };
    let incidents = IncidentApi {
        manager: parts.manager.clone(),
        requests: parts.requests.clone(),
    };
    Apis {
        returns,
        incidents,
        webhooks,
    }
}
