//! The parts of the service, built from the configuration. Each gets what it needs and no more.

use std::sync::Arc;
use std::time::Duration;

use returns_alerts::diagnosis::{Examiner, Probe};
use returns_alerts::{ClockReference, ClockWatch, IncidentManager, StoreClock, StoreWatch, Vitals};
use returns_feed::settle::SettlementRelease;
use returns_feed::{AdapterClock, AdapterProbe, Feed, Role};
use returns_import::adapter::{Adapter, AdapterLimits};
use returns_import::decide::Decider;
use returns_import::hold::{HoldLimits, Holds};
use returns_import::{ImportFaults, Importer};
use returns_model::keyring::KeyRing;
use returns_reports::Reporter;
use returns_reports::bucket::{BucketClock, BucketProbe};
use returns_sources::SourceProbe;
use returns_sources::schedule::Scheduler;
use returns_stream::{StreamProbe, StreamSettings};
use returns_verify::{Checkpoints, JournalChecker, JournalSettings};
use returns_webhooks::{
    KeyEncryptor, Sender, SignedClient, SystemLookup, WebhookClient, WebhookSettings,
};
use secrecy::SecretString;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::ServiceError;
use super::base::Base;
use crate::api::{Requests, TwoPeople};
use crate::config::{Config, DatabaseConfig};

/// The largest message from or to an adapter. An answer to 10,000 keys, the contract's limit,
/// is larger than what a caller of ours may send.
const ADAPTER_MESSAGE_BYTES: usize = 64 << 20;

/// The parts.
pub(crate) struct ServiceParts {
    pub(crate) decider: Arc<Decider>,
    pub(crate) holds: Holds,
    pub(crate) hold_limits: HoldLimits,
    pub(crate) importer: Arc<Importer>,
    /// One for each database, the system of record first.
    pub(crate) feeds: Vec<Arc<Feed>>,
    pub(crate) settlement: Arc<SettlementRelease>,
    /// `None` without a bucket.
    pub(crate) reporter: Option<Arc<Reporter>>,
    pub(crate) checker: Arc<JournalChecker>,
    pub(crate) checkpoint_every: Duration,
    pub(crate) verify_every: Duration,
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) examiner: Arc<Examiner>,
    pub(crate) manager: Arc<IncidentManager>,
    pub(crate) watch: Arc<StoreWatch>,
    pub(crate) clock_watch: Arc<ClockWatch>,
    pub(crate) vitals: Vitals,
    /// How long an answer may be awaited before people are notified.
    pub(crate) patience: Duration,
    pub(crate) client: SignedClient,
    /// `None` where webhooks are not sent.
    pub(crate) sender: Option<Arc<Sender>>,
    /// `None` without NATS.
    pub(crate) stream: Option<StreamSettings>,
    pub(crate) requests: Requests,
    pub(crate) two_people: TwoPeople,
}

impl ServiceParts {
    pub(super) fn build(config: Config, base: &Base) -> Result<Self, ServiceError> {
        let adapters = adapters(&config, base.journal_id)?;
        let clock_watch = Arc::new(clock_watch(&config, base, &adapters));
        let patience = config.alerts.patience;
        let examiner = Arc::new(examiner(&config, base, &adapters, &clock_watch));
        let (gateway, _) = adapters.first().ok_or(ServiceError::NoSystemOfRecord)?;
        let decider = Arc::new(Decider {
            store: base.store.clone(),
            gateway: gateway.clone(),
            sources: config.sources.clone(),
            retry: config.holds,
        });
        let importer = Arc::new(importer(&config, base, &decider));
        let reporter = reporter(&config, base);
        let settlement = Arc::new(SettlementRelease {
            store: base.store.clone(),
            system_of_record: gateway.database.clone(),
            databases: config.database_names(),
            policy: config.ready,
            clock: base.clock.clone(),
            notifier: base.notifier.clone(),
        });
        let holds = Holds {
            decider: decider.clone(),
            clock: base.clock.clone(),
            notifier: base.notifier.clone(),
        };
        let watch = StoreWatch::new(
            base.store.clone(),
            base.incidents.clone(),
            base.clock.clone(),
        );
        let hold_limits = config.hold_limits;
        let feeds = feeds(&config, base, &adapters, &decider);
        let scheduler = Arc::new(scheduler(&config, base, &importer.faults));
        let manager = Arc::new(IncidentManager::new(
            config.alerts,
            base.store.clone(),
            examiner.clone(),
            base.incidents.clone(),
            base.clock.clone(),
        ));
        let (checkpoint_every, verify_every) =
            (config.journal.checkpoint_every, config.journal.verify_every);
        let checker = Arc::new(checker(config.journal, base, &decider, &feeds));
        let client = signed_client(&config.webhooks, &config.spool_identity, base)?;
        let sender = sender(&config.webhooks, base, &client, &manager);
        let requests = Requests {
            store: base.calls.clone(),
            keys: KeyRing::read(&config.spool_identity)
                .map_err(|error| ServiceError::Spool(error.to_string()))?,
            clock: base.clock.clone(),
            failures: Arc::default(),
        };
        Ok(Self {
            decider,
            holds,
            hold_limits,
            importer,
            feeds,
            settlement,
            reporter,
            checker,
            checkpoint_every,
            verify_every,
            scheduler,
            examiner,
            manager,
            watch: Arc::new(watch),
            clock_watch,
            vitals: Vitals::default(),
            patience,
            client,
            sender,
            stream: config.stream,
            requests,
            two_people: config.two_people,
        })
    }
}

fn importer(config: &Config, base: &Base, decider: &Arc<Decider>) -> Importer {
    Importer {
        decider: decider.clone(),
        replica: base.replica.clone(),
        spool: base.spool.clone(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
        batch_size: config.batch_size,
        concurrent: config.concurrent,
        incidents: base.incidents.clone(),
        faults: ImportFaults::default(),
    }
}

fn reporter(config: &Config, base: &Base) -> Option<Arc<Reporter>> {
    let reporter = Reporter {
        store: base.store.clone(),
        bucket: base.bucket.clone()?,
        spool: base.spool.clone(),
        databases: config.database_names(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
        incidents: base.incidents.clone(),
        pauses: config.report_pauses,
        patience: config.alerts.patience,
    };
    Some(Arc::new(reporter))
}

fn checker(
    settings: JournalSettings,
    base: &Base,
    decider: &Decider,
    feeds: &[Arc<Feed>],
) -> JournalChecker {
    let checkpoints = settings.key.zip(base.bucket.clone());
    JournalChecker {
        store: base.store.clone(),
        system_of_record: decider.gateway.database.clone(),
        feeds: feeds.to_vec(),
        checkpoints: checkpoints.map(|(key, bucket)| {
            Arc::new(Checkpoints {
                bucket,
                key,
                clock: base.clock.clone(),
            })
        }),
        incidents: base.incidents.clone(),
        clock: base.clock.clone(),
    }
}

fn scheduler(config: &Config, base: &Base, faults: &ImportFaults) -> Scheduler {
    Scheduler {
        store: base.store.clone(),
        replica: base.replica.clone(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
        spool: base.spool.clone(),
        sources: config.sources.clone(),
        locations: config.locations.clone(),
        faults: faults.clone(),
        incidents: base.incidents.clone(),
        databases: config.database_names(),
        reports: base.bucket.is_some(),
        max_file_bytes: config.max_file_bytes,
        retry: config.retry,
        patience: config.alerts.patience,
        plans: config.plans.clone(),
        running: Default::default(),
        tasks: TaskTracker::new(),
    }
}

fn signed_client(
    settings: &WebhookSettings,
    identity: &SecretString,
    base: &Base,
) -> Result<SignedClient, ServiceError> {
    let lookup = Arc::new(SystemLookup);
    let client = WebhookClient::new(&settings.client, lookup, base.clock.clone());
    let client = client.map_err(ServiceError::Webhooks)?;
    let encryptor = KeyEncryptor::new(identity);
    let encryptor = encryptor.map_err(|error| ServiceError::Webhooks(error.to_string()))?;
    Ok(SignedClient::new(client, encryptor, base.clock.clone()))
}

fn sender(
    settings: &WebhookSettings,
    base: &Base,
    client: &SignedClient,
    manager: &Arc<IncidentManager>,
) -> Option<Arc<Sender>> {
    let parts = returns_webhooks::SenderParts {
        store: base.store.clone(),
        client: client.clone(),
        clock: base.clock.clone(),
        notifier: base.notifier.clone(),
        incidents: base.incidents.clone(),
        owners: manager.clone(),
        jitter: returns_webhooks::any_number,
    };
    let sender = || Arc::new(Sender::new(parts, settings.sender));
    settings.enabled.then(sender)
}

/// The adapters, the system of record's first.
pub(super) fn adapters(
    config: &Config,
    journal_id: Uuid,
) -> Result<Vec<(Adapter, Role)>, ServiceError> {
    let adapter = |database: &DatabaseConfig| {
        let (name, address) = (&database.name, &database.address);
        let whose = (name.as_str(), journal_id);
        let limits = AdapterLimits {
            timeout: config.adapter_timeout,
            max_message_bytes: ADAPTER_MESSAGE_BYTES,
        };
        let adapter = Adapter::new(whose, address, config.adapter_tls.as_ref(), limits);
        let adapter = adapter.map_err(|why| ServiceError::Adapter {
            database: name.clone(),
            why,
        })?;
        Ok((adapter, database.role))
    };
    config.databases.iter().map(adapter).collect()
}

fn feeds(
    config: &Config,
    base: &Base,
    adapters: &[(Adapter, Role)],
    decider: &Arc<Decider>,
) -> Vec<Arc<Feed>> {
    let databases = config.database_names();
    let feed = |(adapter, role): &(Adapter, Role)| {
        Arc::new(Feed {
            adapter: adapter.clone(),
            role: *role,
            store: base.store.clone(),
            system_of_record: decider.gateway.database.clone(),
            databases: databases.clone(),
            batch_size: config.feed_batch_size,
            clock: base.clock.clone(),
            notifier: base.notifier.clone(),
            incidents: base.incidents.clone(),
            decider: decider.clone(),
        })
    };
    adapters.iter().map(feed).collect()
}

/// What compares this machine's clock with every server that tells its time.
fn clock_watch(config: &Config, base: &Base, adapters: &[(Adapter, Role)]) -> ClockWatch {
    let mut references: Vec<Arc<dyn ClockReference>> = Vec::new();
    references.push(Arc::new(StoreClock {
        store: base.store.clone(),
        is_this_machine: config.store.address.is_this_machine(),
    }));
    if let Some(bucket) = &base.bucket {
        references.push(Arc::new(BucketClock(bucket.clone())));
    }
    for (adapter, _) in adapters {
        references.push(Arc::new(AdapterClock(adapter.clone())));
    }
    for told in config.alerts.clocks() {
        references.push(Arc::new(told));
    }
    ClockWatch {
        clocks: base.clocks.clone(),
        references,
        incidents: base.incidents.clone(),
        differing: Default::default(),
    }
}

/// What checks everything that the job needs. Each part brings its own probe.
fn examiner(
    config: &Config,
    base: &Base,
    adapters: &[(Adapter, Role)],
    clock_watch: &Arc<ClockWatch>,
) -> Examiner {
    let mut locations: Vec<_> = config.locations.iter().collect();
    locations.sort_by_key(|(source, _)| *source);
    let sources = locations.into_iter().map(|(source, location)| {
        let probe = SourceProbe {
            source: source.clone(),
            location: location.clone(),
            store: base.store.clone(),
            plans: config.plans.clone(),
            clock: base.clock.clone(),
        };
        Arc::new(probe) as Arc<dyn Probe>
    });
    let targets = adapters.iter().map(|(adapter, role)| {
        let probe = AdapterProbe {
            adapter: adapter.clone(),
            role: *role,
        };
        Arc::new(probe) as Arc<dyn Probe>
    });
    let clock: Arc<dyn Probe> = clock_watch.clone();
    let bucket = base.bucket.clone().map(BucketProbe);
    let bucket = bucket.map(|probe| Arc::new(probe) as Arc<dyn Probe>);
    let stream = config.stream.clone().map(StreamProbe);
    let stream = stream.map(|probe| Arc::new(probe) as Arc<dyn Probe>);
    let kept = |(source, location): (&String, &returns_sources::RemoteLocation)| {
        Some((source.clone(), location.retention_days?))
    };
    Examiner {
        store: base.store.clone(),
        probes: sources
            .chain(targets)
            .chain(bucket)
            .chain(stream)
            .chain([clock])
            .collect(),
        spool_folder: config.spool_folder.clone(),
        retention_days: config.locations.iter().filter_map(kept).collect(),
    }
}
