//! The sender: takes what is due to the endpoints, each endpoint in a worker of its own. A worker
//! waits only for its own endpoint, and endpoints that fail share places apart from the
//! others', so that a failing one delays nobody.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::ErrorChain;
use echeck_service::batcher::WithoutAnswer;
use echeck_service::clock::SharedClock;
use returns_alerts::{IncidentReporter, OwnerMailer};
use returns_model::delivery::Touched;
use returns_model::incident::{Cause, Problem, Subject};
use returns_store::{Job, Lease, Notifier, Pass, Store, StoreError, Topic};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::client::SignedClient;
use super::render::UnreadableEvent;
use super::schedule::Schedule;
use super::secret::KeyError;
use super::together::Together;

/// How often it polls.
const TICK: Duration = Duration::from_millis(500);
/// The shortest wait for what is due next.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// How long a worker rests after a failure of our own.
const REST: TimeDelta = TimeDelta::seconds(5);
/// How long messages on their way are waited for at a shutdown.
const DRAIN: Duration = Duration::from_secs(5);

/// How much is sent at once, and when it is sent again.
#[derive(Debug, Clone, Copy)]
pub struct SenderSettings {
    /// To one healthy endpoint that wants no order.
    pub per_endpoint: usize,
    /// To all healthy endpoints.
    pub concurrency: usize,
    /// To all endpoints that fail.
    pub failing_concurrency: usize,
    pub schedule: Schedule,
    /// An endpoint that fails for this long is disabled.
    pub disable_after: TimeDelta,
}

/// Delivers messages.
pub struct Sender {
    pub(super) parts: SenderParts,
    pub(super) together: Together,
    pub(super) settings: SenderSettings,
    pub(super) working: Semaphore,
    pub(super) failing: Semaphore,
    endpoints: Mutex<EndpointMemory>,
}

/// What the sender knows of endpoints; lost at a restart without harm.
#[derive(Default)]
struct EndpointMemory {
    /// Those with a worker.
    workers: HashSet<String>,
    /// Those that are left alone for a while.
    resting: HashMap<String, Rest>,
    /// Those whose messages something of our own kept from them.
    stuck: HashSet<String>,
    /// Those about which no incident is open, as far as this process can know.
    sound: HashSet<String>,
}

/// How long an endpoint is left alone.
struct Rest {
    until: DateTime<Utc>,
    /// As it was when it asked for that: an operator who changes it, or sends it something again,
    /// wants it to be tried. `None` when that changes nothing.
    asked: Option<Touched>,
}

/// What the sender works with.
pub struct SenderParts {
    pub store: Arc<dyn Store>,
    pub client: SignedClient,
    pub clock: SharedClock,
    pub notifier: Notifier,
    pub incidents: IncidentReporter,
    pub owners: Arc<dyn OwnerMailer>,
    /// Any number at each call.
    pub jitter: fn() -> u64,
}

/// Why a worker rests.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same, of a statement that was for others too.
    #[error(transparent)]
    Shared(#[from] Arc<StoreError>),
    #[error(transparent)]
    WithoutAnswer(#[from] WithoutAnswer),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("it has no key to sign with; rotate its secret")]
    NoKey,
    #[error("event {0} of a delivery cannot be read")]
    NoEvent(u64),
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
}

/// A worker's place, given back however the worker ends.
struct WorkerSlot {
    sender: Arc<Sender>,
    endpoint_id: String,
}

impl Drop for WorkerSlot {
    fn drop(&mut self) {
        self.sender.endpoints().workers.remove(&self.endpoint_id);
        // What became due for it meanwhile is read again.
        self.sender.parts.notifier.messages_due();
    }
}

impl Sender {
    /// A sender.
    pub fn new(parts: SenderParts, settings: SenderSettings) -> Self {
        Self {
            together: Together::new(parts.store.clone()),
            parts,
            working: Semaphore::new(settings.concurrency),
            failing: Semaphore::new(settings.failing_concurrency),
            endpoints: Mutex::default(),
            settings,
        }
    }

    fn endpoints(&self) -> MutexGuard<'_, EndpointMemory> {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a worker for every endpoint that has something due and has none. Gives how long
    /// nothing else is due.
    async fn start_workers(
        self: &Arc<Self>,
        workers: &mut JoinSet<()>,
        shutdown: &CancellationToken,
    ) -> Result<Duration, StoreError> {
        let now = self.parts.clock.now();
        for (endpoint_id, touched) in self.parts.store.due_endpoints(now).await? {
            if self.is_resting(&endpoint_id, touched, now) {
                continue;
            }
            if !self.endpoints().workers.insert(endpoint_id.clone()) {
                continue;
            }
            let slot = WorkerSlot {
                sender: self.clone(),
                endpoint_id,
            };
            let shutdown = shutdown.clone();
            workers.spawn(async move {
                let sender = slot.sender.clone();
                sender.worker(&slot.endpoint_id, &shutdown).await;
            });
        }
        let next = self.parts.store.next_due_after(now).await?;
        let wait = next.and_then(|next| (next - now).to_std().ok());
        Ok(wait.map_or(TICK, |wait| wait.clamp(SHORTEST_WAIT, TICK)))
    }

    /// Whether an endpoint is left alone just now.
    pub(super) fn is_resting(
        &self,
        endpoint_id: &str,
        touched: Touched,
        now: DateTime<Utc>,
    ) -> bool {
        let mut state = self.endpoints();
        state.resting.retain(|_, rest| rest.until > now);
        let rest = state.resting.get(endpoint_id);
        rest.is_some_and(|rest| rest.asked.is_none_or(|asked| asked == touched))
    }

    /// Leaves an endpoint alone until then, or until an operator touches it.
    pub(super) fn rest(&self, endpoint_id: &str, until: DateTime<Utc>, asked: Option<Touched>) {
        let rest = Rest { until, asked };
        self.endpoints()
            .resting
            .insert(endpoint_id.to_owned(), rest);
    }

    /// Notes that an incident about the endpoint may be open.
    pub(super) fn mark_failing(&self, endpoint_id: &str) {
        self.endpoints().sound.remove(endpoint_id);
    }

    /// Notes that none is. True when one may have been.
    pub(super) fn mark_healthy(&self, endpoint_id: &str) -> bool {
        let mut state = self.endpoints();
        !state.sound.contains(endpoint_id) && state.sound.insert(endpoint_id.to_owned())
    }

    /// Whether something of our own keeps messages from it.
    pub(super) fn is_stuck(&self, endpoint_id: &str) -> bool {
        self.endpoints().stuck.contains(endpoint_id)
    }

    /// Notes that nothing of our own is in the way any more. True when something was.
    pub(super) fn clear_stuck(&self, endpoint_id: &str) -> bool {
        self.endpoints().stuck.remove(endpoint_id)
    }

    /// Sends what is due to one endpoint, until nothing is.
    async fn worker(&self, endpoint_id: &str, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.batch(endpoint_id, shutdown).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.stuck(endpoint_id, &error),
            }
        }
    }

    /// Something of our own keeps messages from an endpoint: that is not a failure of theirs.
    fn stuck(&self, endpoint_id: &str, error: &WorkerError) {
        let now = self.parts.clock.now();
        self.rest(endpoint_id, now + REST, None);
        tracing::error!(endpoint_id, error = %ErrorChain(error), "webhooks cannot be sent");
        match error {
            // The store's own watcher reports that it fails; work that panicked is in the log.
            WorkerError::Store(_) | WorkerError::Shared(_) | WorkerError::WithoutAnswer(_) => {}
            WorkerError::Key(_)
            | WorkerError::NoKey
            | WorkerError::NoEvent(_)
            | WorkerError::Unreadable(_) => {
                self.mark_failing(endpoint_id);
                self.endpoints().stuck.insert(endpoint_id.to_owned());
                let cause = Cause::WebhookStuck {
                    endpoint: endpoint_id.to_owned(),
                    why: error.to_string(),
                };
                let subject = Subject::Endpoint(endpoint_id.to_owned());
                self.parts
                    .incidents
                    .report(Problem::new(subject, cause, now));
            }
        }
    }
}

/// The worker that delivers messages.
pub struct SenderJob {
    sender: Arc<Sender>,
    workers: JoinSet<()>,
    /// Whether the log has reported that the returns database does not answer. Once is enough: its
    /// own watcher reports that too.
    logged: bool,
}

impl SenderJob {
    /// The worker of `sender`.
    pub fn new(sender: Arc<Sender>) -> Self {
        Self {
            sender,
            workers: JoinSet::new(),
            logged: false,
        }
    }
}

impl Job for SenderJob {
    type Error = StoreError;

    fn lease(&self) -> String {
        "webhooks".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Message]
    }

    fn longest_pause(&self) -> Duration {
        TICK
    }

    async fn begin(&mut self) {
        if let Err(error) = self.sender.report_recently_dead().await {
            tracing::error!(error = %ErrorChain(&error), "undeliverable webhooks cannot be read");
        }
    }

    async fn pass(&mut self, _lease: &Lease, stop: &CancellationToken) -> Result<Pass, StoreError> {
        while self.workers.try_join_next().is_some() {}
        let wait = self.sender.start_workers(&mut self.workers, stop).await?;
        self.logged = false;
        Ok(Pass::Idle(wait))
    }

    async fn failed(
        &mut self,
        _lease: &Lease,
        error: &StoreError,
        _pause: Duration,
        _stop: &CancellationToken,
    ) {
        if !self.logged {
            tracing::error!(error = %ErrorChain(error), "due webhooks cannot be read");
            self.logged = true;
        }
    }

    fn leave(&mut self) {
        self.workers.abort_all();
    }

    async fn drain(&mut self) {
        let drained = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("webhooks are still on their way; the next start sends them again");
        }
    }
}
