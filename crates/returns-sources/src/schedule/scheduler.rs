//! The scheduler: begins a run for each slot, due time and retry, and for each request. The run's
//! row settles which replica does it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::IncidentReporter;
use returns_import::{ImportFaults, Source, Spool};
use returns_model::job::{Begun, NewRun, SourceState};
use returns_model::plan::Plan;
use returns_model::run_outcome::Trigger;
use returns_store::{Notifier, Replica, Store, StoreError, Topic};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::arrival::due_slot;
use super::running::OwnRuns;
use crate::RemoteLocation;

/// A slot that is older than this when it is begun was missed.
const MISSED_AFTER: TimeDelta = TimeDelta::minutes(1);

/// When a source is tried again after a run that did not go well.
#[derive(Debug, Clone, Copy)]
pub struct RetryTimes {
    pub first: Duration,
    pub longest: Duration,
    /// How often the source is checked for a missing file until the next slot.
    pub missing: Duration,
}

/// The daily job.
pub struct Scheduler {
    pub store: Arc<dyn Store>,
    pub replica: Replica,
    pub clock: SharedClock,
    pub notifier: Notifier,
    pub spool: Spool,
    pub sources: HashMap<String, Source>,
    /// Where the files of a source are picked up, by source.
    pub locations: HashMap<String, RemoteLocation>,
    /// Why imports are stalled.
    pub faults: ImportFaults,
    pub incidents: IncidentReporter,
    /// The names of the databases behind adapters, the system of record first.
    pub databases: Vec<String>,
    /// Whether there is a bucket for reports.
    pub reports: bool,
    pub max_file_bytes: u64,
    pub retry: RetryTimes,
    /// How long an answer may be awaited before people are notified.
    pub patience: Duration,
    /// The plans of the configuration, by source.
    pub plans: HashMap<String, Plan>,
    /// The runs that this process works on.
    pub running: OwnRuns,
    /// What runs are spawned on; closed at the shutdown.
    pub tasks: TaskTracker,
}

/// A run that was asked for.
pub struct RequestedRun {
    pub run_id: String,
    /// Whether it was in progress already.
    pub joined: bool,
}

impl Scheduler {
    /// Works until `shutdown`, then waits for the runs in progress to stop.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        // Once is enough: the store's own watcher reports that it does not answer.
        let mut logged = false;
        let mut reported = HashSet::new();
        while !shutdown.is_cancelled() {
            let seen = self.notifier.seen();
            match self.begin_what_is_due(&shutdown, &mut reported).await {
                Ok(()) => logged = false,
                Err(error) if !logged => {
                    tracing::error!(error = %ErrorChain(&error), "what is due cannot be begun");
                    logged = true;
                }
                Err(_) => {}
            }
            let longest = Duration::from_millis(500);
            let notifier = &self.notifier;
            notifier.wait(seen, &[Topic::Job], longest, &shutdown).await;
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn begin_what_is_due(
        self: &Arc<Self>,
        shutdown: &CancellationToken,
        reported: &mut HashSet<String>,
    ) -> Result<(), StoreError> {
        let (store, replica) = (&self.store, &self.replica);
        let (name, mine) = (&replica.name, self.running.ids());
        for run in store.take_over_runs(name, &mine, replica.lease).await? {
            let new = run.new;
            tracing::info!(
                run_id = new.run_id,
                source = new.source,
                "a run is taken over"
            );
            self.spawn(new, shutdown);
        }
        for source in self.sources.keys() {
            if !self.locations.contains_key(source) {
                continue;
            }
            let now = self.clock.now();
            let state = store.source_state(source, now).await?;
            let Some(new) = self.due(&state, now).await? else {
                continue;
            };
            match store.begin_run(&new, &replica.name, replica.lease).await? {
                Begun::Started => {
                    reported.remove(&new.run_id);
                    self.spawn(new, shutdown);
                }
                // Another replica was faster.
                Begun::SlotTaken => {
                    reported.remove(&new.run_id);
                }
                // The slot waits until the run before it is over; people who wait for a file
                // that is due must not wait with it.
                Begun::Busy { run_id } => {
                    if new.trigger == Trigger::Due {
                        let runs = (&new, run_id.as_str());
                        self.report_long_run(&state, runs, now, reported).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The plan in force.
    pub fn plan(&self, state: &SourceState) -> Option<Plan> {
        in_force(state, &self.plans)
    }

    /// The next moment at which a run begins by the clock, as it looks now.
    pub fn next_run_at(&self, state: &SourceState) -> Option<DateTime<Utc>> {
        if state.paused.is_some() {
            return None;
        }
        let now = self.clock.now();
        let plan = self.plan(state);
        let slots = plan.iter().filter_map(|plan| plan.next_slot(now));
        let due = plan.iter().filter_map(|plan| plan.next_deadline(now));
        slots.chain(due).chain(state.retry_at).min()
    }

    /// The run that should begin now, if any: a retry, a due time, or a slot.
    async fn due(
        &self,
        state: &SourceState,
        now: DateTime<Utc>,
    ) -> Result<Option<NewRun>, StoreError> {
        if state.paused.is_some() {
            return Ok(None);
        }
        if let Some(at) = state.retry_at
            && at <= now
        {
            let slot = format!("retry {} {}", slot_time(at), state.retries);
            if !self.store.slot_taken(&state.source, &slot).await? {
                return Ok(Some(new_run(state, slot, None, Trigger::Retry, now)));
            }
        }
        let Some(plan) = self.plan(state) else {
            return Ok(None);
        };
        if let Some(expected) = plan.last_deadline(now)
            && expected.deadline > state.due_since
        {
            let slot = due_slot(&expected);
            if !self.store.slot_taken(&state.source, &slot).await? {
                return Ok(Some(new_run(state, slot, None, Trigger::Due, now)));
            }
        }
        let last = self.store.last_slot_at(&state.source).await?;
        let after = last.map_or(state.known_since, |last| last.max(state.known_since));
        Ok(plan.last_slot(after, now).map(|at| {
            let trigger = if now - at > MISSED_AFTER {
                Trigger::CatchUp
            } else {
                Trigger::Schedule
            };
            let slot = format!("slot {}", slot_time(at));
            new_run(state, slot, Some(at), trigger, now)
        }))
    }

    /// Begins a run that a person asks for, or joins the one in progress.
    pub async fn ask(
        self: &Arc<Self>,
        source: &str,
        actor: &str,
        shutdown: &CancellationToken,
    ) -> Result<RequestedRun, StoreError> {
        let (store, replica) = (&self.store, &self.replica);
        let now = self.clock.now();
        let state = store.source_state(source, now).await?;
        loop {
            let slot = format!("manual {}", Uuid::new_v4().simple());
            let new = NewRun {
                actor: Some(actor.to_owned()),
                ..new_run(&state, slot, None, Trigger::Manual, now)
            };
            let run_id = new.run_id.clone();
            match store.begin_run(&new, &replica.name, replica.lease).await? {
                Begun::Started => {
                    self.spawn(new, shutdown);
                    return Ok(RequestedRun {
                        run_id,
                        joined: false,
                    });
                }
                Begun::Busy { run_id } => {
                    return Ok(RequestedRun {
                        run_id,
                        joined: true,
                    });
                }
                // Nobody draws the same number twice; the run that was in the way has just ended.
                Begun::SlotTaken => {}
            }
        }
    }

    /// Starts a run, unless this process works on it already: once it is recorded it looks to the
    /// scheduler like one that another process left behind.
    fn spawn(self: &Arc<Self>, run: NewRun, shutdown: &CancellationToken) {
        let Some(place) = self.running.take(&run.run_id) else {
            return;
        };
        let (jobs, stop) = (self.clone(), shutdown.child_token());
        self.tasks.spawn(async move {
            tokio::select! {
                () = jobs.execute(&run, &stop) => {}
                () = jobs.renew_until_lost(&run) => {
                    tracing::warn!(run_id = run.run_id, "another replica has taken the run over");
                }
            }
            drop(place);
            jobs.notifier.job_changed();
        });
    }

    async fn renew_until_lost(&self, run: &NewRun) {
        let replica = &self.replica;
        loop {
            tokio::time::sleep(replica.beat()).await;
            let renewed = replica
                .store
                .renew_run(&run.run_id, &replica.name, replica.lease)
                .await;
            match renewed {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(error = %ErrorChain(&error), "a run's lease cannot be renewed");
                }
            }
        }
    }
}

/// The plan in force: what an operator has set, or else the configuration's.
pub(crate) fn in_force(state: &SourceState, plans: &HashMap<String, Plan>) -> Option<Plan> {
    match &state.plan {
        // What is stored was read once before; a plan of a newer program may be unknown here.
        Some(text) => Plan::parse(text.clone()).ok(),
        None => plans.get(&state.source).cloned(),
    }
}

/// A moment as a slot's name has it.
fn slot_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn new_run(
    state: &SourceState,
    slot: String,
    slot_at: Option<DateTime<Utc>>,
    trigger: Trigger,
    now: DateTime<Utc>,
) -> NewRun {
    NewRun {
        run_id: returns_model::ids::run_id(&state.source, &slot),
        source: state.source.clone(),
        slot,
        slot_at,
        trigger,
        actor: None,
        started_at: now,
    }
}
