//! The scheduler: begins a run for each slot, due time and retry, and for whoever asks. Which
//! replica does it is settled by the run's row.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::findings::Findings;
use super::plan::Plan;
use super::run::Work;
use super::{Outcome, Trigger};
use crate::chain::Chain;
use crate::import::Importer;
use crate::incident::{Area, Cause, Desk, Subject, Trouble};
use crate::store::{Begun, NewRun, RunEnd, SourceState, StoreError};

/// A slot that is older than this when it is begun was missed.
const MISSED_AFTER: TimeDelta = TimeDelta::minutes(1);

/// When a source is tried again after a run that did not go well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryTimes {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

/// The daily job.
pub(crate) struct Jobs {
    pub(crate) importer: Arc<Importer>,
    pub(crate) desk: Desk,
    /// The names of the databases behind adapters.
    pub(crate) databases: Vec<String>,
    /// Whether there is a bucket for reports.
    pub(crate) reports: bool,
    pub(crate) max_file_bytes: u64,
    pub(crate) retry: RetryTimes,
    /// The plans of the configuration, by source.
    pub(crate) plans: HashMap<String, Plan>,
    /// The runs that this process works on.
    pub(crate) running: Mutex<HashSet<String>>,
    /// What runs are spawned on; closed at the shutdown.
    pub(crate) tasks: TaskTracker,
}

/// A run that was asked for.
pub(crate) struct Asked {
    pub(crate) run_id: String,
    /// Whether it was going on already.
    pub(crate) joined: bool,
}

impl Jobs {
    /// Works until `shutdown`, then waits for the runs that go on to stop.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        // Once is enough: the store's own watcher reports that it does not answer.
        let mut told = false;
        while !shutdown.is_cancelled() {
            let seen = self.importer.changes.version();
            match self.begin_what_is_due(&shutdown).await {
                Ok(()) => told = false,
                Err(error) if !told => {
                    tracing::error!(error = %Chain(&error), "what is due cannot be begun");
                    told = true;
                }
                Err(_) => {}
            }
            let changes = &self.importer.changes;
            changes
                .wait(seen, Duration::from_millis(500), &shutdown)
                .await;
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn begin_what_is_due(
        self: &Arc<Self>,
        shutdown: &CancellationToken,
    ) -> Result<(), StoreError> {
        let (store, replica) = (&self.importer.store, &self.importer.replica);
        let mine: Vec<String> = self.running().iter().cloned().collect();
        for run in store
            .take_over_runs(&replica.name, &mine, replica.lease)
            .await?
        {
            tracing::info!(
                run_id = run.new.run_id,
                source = run.new.source,
                "a run is taken over"
            );
            self.spawn(run.new, shutdown);
        }
        for source in self
            .importer
            .sources
            .values()
            .filter(|source| source.pickup.is_some())
        {
            let now = self.importer.clock.now();
            let state = store.source_state(&source.name, now).await?;
            let Some(new) = self.due(&state, now).await? else {
                continue;
            };
            match store.begin_run(&new, &replica.name, replica.lease).await? {
                Begun::Started => self.spawn(new, shutdown),
                // Another replica was faster, or the slot waits until the run before it is over.
                Begun::SlotTaken | Begun::Busy { .. } => {}
            }
        }
        Ok(())
    }

    /// The plan in force.
    pub(crate) fn plan(&self, state: &SourceState) -> Option<Plan> {
        in_force(state, &self.plans)
    }

    /// The next moment at which a run begins by the clock, as it looks now.
    pub(crate) fn next_run_at(&self, state: &SourceState) -> Option<DateTime<Utc>> {
        if state.paused.is_some() {
            return None;
        }
        let now = self.importer.clock.now();
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
            let slot = format!("retry {} {}", moment(at), state.retries);
            if !self.importer.store.slot_taken(&state.source, &slot).await? {
                return Ok(Some(new_run(state, slot, None, Trigger::Retry, now)));
            }
        }
        let Some(plan) = self.plan(state) else {
            return Ok(None);
        };
        if let Some(expected) = plan.last_deadline(now)
            && expected.deadline > state.known_since
        {
            let slot = format!("due {}", expected.day);
            if !self.importer.store.slot_taken(&state.source, &slot).await? {
                return Ok(Some(new_run(state, slot, None, Trigger::Due, now)));
            }
        }
        let last = self.importer.store.last_slot_at(&state.source).await?;
        let after = last.map_or(state.known_since, |last| last.max(state.known_since));
        Ok(plan.last_slot(after, now).map(|at| {
            let trigger = if now - at > MISSED_AFTER {
                Trigger::CatchUp
            } else {
                Trigger::Schedule
            };
            new_run(
                state,
                format!("slot {}", moment(at)),
                Some(at),
                trigger,
                now,
            )
        }))
    }

    /// Begins a run that a person asks for, or joins the one that goes on.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        source: &str,
        actor: &str,
        shutdown: &CancellationToken,
    ) -> Result<Asked, StoreError> {
        let (store, replica) = (&self.importer.store, &self.importer.replica);
        let now = self.importer.clock.now();
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
                    return Ok(Asked {
                        run_id,
                        joined: false,
                    });
                }
                Begun::Busy { run_id } => {
                    return Ok(Asked {
                        run_id,
                        joined: true,
                    });
                }
                // Nobody draws the same number twice; the run that was in the way has just ended.
                Begun::SlotTaken => {}
            }
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(self: &Arc<Self>, run: NewRun, shutdown: &CancellationToken) {
        let place = Place::take(self, &run.run_id);
        let (jobs, stop) = (self.clone(), shutdown.child_token());
        self.tasks.spawn(async move {
            tokio::select! {
                () = jobs.carry_out(&run, &stop) => {}
                () = jobs.renew_until_lost(&run) => {
                    tracing::warn!(run_id = run.run_id, "another replica has taken the run over");
                }
            }
            drop(place);
            jobs.importer.changes.bump();
        });
    }

    async fn renew_until_lost(&self, run: &NewRun) {
        let replica = &self.importer.replica;
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
                    tracing::error!(error = %Chain(&error), "a run's lease cannot be renewed");
                }
            }
        }
    }

    /// Does a run to its end and keeps what came of it.
    async fn carry_out(&self, run: &NewRun, stop: &CancellationToken) {
        let Some(source) = self.importer.sources.get(&run.source) else {
            // A source that was taken out of the configuration: its run can only be ended.
            return self
                .end(run, Outcome::NoActivity, &Findings::default(), stop)
                .await;
        };
        let Some(pickup) = &source.pickup else {
            return self
                .end(run, Outcome::NoActivity, &Findings::default(), stop)
                .await;
        };
        let mut findings = Findings::default();
        let state = match self.state_of(&run.source, stop).await {
            Some(state) => state,
            None => return,
        };
        let plan = self.plan(&state);
        let work = Work {
            jobs: self,
            run,
            source,
            pickup,
            state: &state,
            plan: plan.as_ref(),
            stop,
        };
        let done = work.run(&mut findings).await;
        if findings.left || stop.is_cancelled() {
            // Whoever comes next goes on with it.
            return;
        }
        let mut outcome = findings.outcome();
        if let Err(error) = &done {
            tracing::error!(run_id = run.run_id, source = run.source, error = %Chain(error), "the run was stopped");
            outcome = outcome.max(error.outcome());
            findings.stopped = Some(error.cause());
        }
        let retry_at = self.retry_at(&state, outcome);
        self.tell(run, &findings, retry_at);
        self.finish(run, outcome, &findings, retry_at, stop).await;
    }

    /// Where operators have left a source; waits while the store does not answer.
    async fn state_of(&self, source: &str, stop: &CancellationToken) -> Option<SourceState> {
        while !stop.is_cancelled() {
            let now = self.importer.clock.now();
            match self.importer.store.source_state(source, now).await {
                Ok(state) => return Some(state),
                Err(error) => {
                    tracing::error!(source, error = %Chain(&error), "a source's state cannot be read");
                    pause(stop).await;
                }
            }
        }
        None
    }

    /// When a source is tried again: after pauses that double.
    fn retry_at(&self, state: &SourceState, outcome: Outcome) -> Option<DateTime<Utc>> {
        if !outcome.is_worth_a_retry() {
            return None;
        }
        let RetryTimes { first, longest } = self.retry;
        let doubled = first.saturating_mul(2_u32.saturating_pow(state.retries.min(16)));
        let pause = TimeDelta::from_std(doubled.min(longest)).unwrap_or(TimeDelta::hours(1));
        Some(self.importer.clock.now() + pause)
    }

    /// Reports what is wrong, and what is right again.
    fn tell(&self, run: &NewRun, findings: &Findings, retry_at: Option<DateTime<Utc>>) {
        let at = self.importer.clock.now();
        let report = |cause: &Cause, import_id: Option<&String>| {
            self.desk.report(Trouble {
                source: Some(run.source.clone()),
                import_id: import_id.cloned(),
                run_id: Some(run.run_id.clone()),
                next_try_at: retry_at,
                ..Trouble::new(subject_of(cause, &run.source), cause.clone(), at)
            });
        };
        if let Some(cause) = &findings.stopped {
            report(cause, None);
        }
        let mut content = findings.stopped.is_some();
        for finding in &findings.files {
            if let Some(cause) = &finding.cause {
                content = true;
                report(cause, finding.file.import_id.as_ref());
            }
        }
        if let Some(cause) = &findings.presence {
            report(cause, None);
        }
        if let Some(cause) = &findings.not_put_away {
            report(cause, None);
        }
        self.tell_what_is_right(run, findings, content, at);
    }

    /// Says what this run has shown to be right again.
    fn tell_what_is_right(
        &self,
        run: &NewRun,
        findings: &Findings,
        content: bool,
        at: DateTime<Utc>,
    ) {
        let subject = Subject::Source(run.source.clone());
        if !content {
            self.desk.clear(subject.clone(), Area::Content, at);
        }
        // A run that was stopped has shown neither.
        if findings.stopped.is_none() {
            self.desk.clear(Subject::Machine, Area::Disk, at);
            if findings.not_put_away.is_none() {
                self.desk.clear(subject, Area::Reach, at);
            }
        }
    }

    async fn end(
        &self,
        run: &NewRun,
        outcome: Outcome,
        findings: &Findings,
        stop: &CancellationToken,
    ) {
        self.finish(run, outcome, findings, None, stop).await;
    }

    /// Keeps how a run ended; while the store does not answer, again and again.
    async fn finish(
        &self,
        run: &NewRun,
        outcome: Outcome,
        findings: &Findings,
        retry_at: Option<DateTime<Utc>>,
        stop: &CancellationToken,
    ) {
        let end = RunEnd {
            at: self.importer.clock.now(),
            outcome,
            summary: findings.summary(),
            cause: findings.cause().map(str::to_owned),
            files: findings
                .files
                .iter()
                .map(|finding| finding.file.clone())
                .collect(),
        };
        tracing::info!(
            run_id = run.run_id,
            source = run.source,
            outcome = outcome.as_str(),
            summary = end.summary,
            "run ended"
        );
        let (store, owner) = (&self.importer.store, &self.importer.replica.name);
        while !stop.is_cancelled() {
            match store.end_run(&run.run_id, owner, &end, retry_at).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "a run's end cannot be kept; it is tried again");
                    pause(stop).await;
                }
            }
        }
    }
}

/// A run's place among those that this process works on. It is free again also when the work
/// panicked, so that the run is taken over instead of standing in its source's way for ever.
struct Place {
    jobs: Arc<Jobs>,
    run_id: String,
}

impl Place {
    fn take(jobs: &Arc<Jobs>, run_id: &str) -> Self {
        jobs.running().insert(run_id.to_owned());
        Self {
            jobs: jobs.clone(),
            run_id: run_id.to_owned(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.jobs.running().remove(&self.run_id);
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

/// Waits a little before the store is asked again.
async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
    }
}

/// Whose trouble it is that a run met.
fn subject_of(cause: &Cause, source: &str) -> Subject {
    match cause.area() {
        Area::Disk | Area::Clock => Subject::Machine,
        Area::Store => Subject::Store,
        Area::Bucket => Subject::Bucket,
        Area::Reach
        | Area::Presence
        | Area::Content
        | Area::Target
        | Area::Import
        | Area::Alerting => Subject::Source(source.to_owned()),
    }
}

/// A moment as a slot's name has it.
fn moment(at: DateTime<Utc>) -> String {
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
        run_id: crate::ids::run_id(&state.source, &slot),
        source: state.source.clone(),
        slot,
        slot_at,
        trigger,
        actor: None,
        started_at: now,
    }
}
