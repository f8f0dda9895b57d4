//! Executing a run: the work itself, then who is notified of what, and what is recorded of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::ErrorChain;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::job::{NewRun, RunEnd, SourceState};
use returns_model::plan::Plan;
use returns_model::run_outcome::RunOutcome;
use returns_store::{StoreError, sleep};
use tokio_util::sync::CancellationToken;

use super::findings::Findings;
use super::run::{RunContext, RunError};
use super::scheduler::Scheduler;

impl Scheduler {
    /// Does a run to its end and records what came of it.
    pub(super) async fn execute(&self, run: &NewRun, stop: &CancellationToken) {
        let configured = self
            .sources
            .get(&run.source)
            .zip(self.locations.get(&run.source));
        let Some((source, location)) = configured else {
            // A source that was taken out of the configuration: its run can only be ended.
            let (outcome, findings) = (RunOutcome::NoActivity, Findings::default());
            return self.finish(run, outcome, &findings, None, stop).await;
        };
        let mut findings = Findings::default();
        let state = || self.store.source_state(&run.source, self.clock.now());
        let Some(state) = until_answered("a source's state cannot be read", stop, state).await
        else {
            return;
        };
        let plan = self.plan(&state);
        let work = RunContext {
            jobs: self,
            run,
            source,
            location,
            state: &state,
            plan: plan.as_ref(),
            stop,
        };
        let done = work.run(&mut findings).await;
        if findings.left || stop.is_cancelled() {
            // The next start, or another replica, continues it.
            return;
        }
        let mut outcome = findings.outcome();
        if let Err(error) = &done {
            tracing::error!(run_id = run.run_id, source = run.source, error = %ErrorChain(error), "the run was stopped");
            outcome = outcome.max(error.outcome());
            findings.stopped = Some(error.cause());
            // That the returns database is at fault is reported by its watch, once for all.
            findings.is_reported = matches!(error, RunError::Store(store) if store.is_outage());
        }
        let retry_at = self.retry_at(&state, plan.as_ref(), outcome, &findings);
        let next_try_at = self.next_try_at(&state, retry_at);
        self.report_findings(run, &findings, next_try_at);
        self.finish(run, outcome, &findings, retry_at, stop).await;
    }

    /// When a source is tried again: after pauses that double, and every so often while a file
    /// is missing that may still come, unless a slot comes first.
    pub(super) fn retry_at(
        &self,
        state: &SourceState,
        plan: Option<&Plan>,
        outcome: RunOutcome,
        findings: &Findings,
    ) -> Option<DateTime<Utc>> {
        let now = self.clock.now();
        let after =
            |pause: Duration| now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::hours(1));
        let times = self.retry;
        if outcome.is_worth_a_retry() || findings.unsettled {
            let doubling = 2_u32.saturating_pow(state.retries.min(16));
            return Some(after(
                times.first.saturating_mul(doubling).min(times.longest),
            ));
        }
        let absence = findings.presence.as_ref()?;
        let again = after(times.missing);
        let slot = plan.and_then(|plan| plan.next_slot(now));
        let may_still_come = again < absence.until && slot.is_none_or(|slot| again < slot);
        may_still_come.then_some(again)
    }

    /// When a source is tried next: by a retry, or else as its plan says.
    pub(super) fn next_try_at(
        &self,
        state: &SourceState,
        retry_at: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        retry_at.or_else(|| {
            // The retry that this run may have been is over.
            self.next_run_at(&SourceState {
                retry_at: None,
                ..state.clone()
            })
        })
    }

    /// Reports what is wrong, and what has recovered.
    fn report_findings(
        &self,
        run: &NewRun,
        findings: &Findings,
        next_try_at: Option<DateTime<Utc>>,
    ) {
        let report = |cause: &Cause, import_id: Option<&String>| {
            let subject = subject_of(cause, &run.source);
            self.report(run, subject, cause, import_id, next_try_at);
        };
        if let Some(cause) = findings.stopped.as_ref().filter(|_| !findings.is_reported) {
            report(cause, None);
        }
        let mut content = findings.stopped.is_some();
        for finding in &findings.files {
            if let Some(cause) = &finding.cause {
                content = true;
                report(cause, finding.file.import_id.as_ref());
            }
        }
        if let Some(absence) = &findings.presence {
            let subject = absence.subject(&run.source);
            self.report(run, subject, &absence.cause, None, next_try_at);
        }
        if let Some(cause) = &findings.not_archived {
            report(cause, None);
        }
        self.report_recovered(run, findings, content);
    }

    /// Reports one thing that is wrong.
    pub(super) fn report(
        &self,
        run: &NewRun,
        subject: Subject,
        cause: &Cause,
        import_id: Option<&String>,
        next_try_at: Option<DateTime<Utc>>,
    ) {
        let at = self.clock.now();
        let host = self.host_of(&run.source).filter(|_| cause.is_of_host());
        let sources = host.iter().flat_map(|host| self.sources_on(host));
        let mut sources: Vec<String> = sources.collect();
        sources.sort();
        let subject = host.map_or(subject, Subject::Host);
        self.incidents.report(Problem {
            source: Some(run.source.clone()),
            sources,
            import_id: import_id.cloned(),
            run_id: Some(run.run_id.clone()),
            next_try_at,
            ..Problem::new(subject, cause.clone(), at)
        });
    }

    /// The server of a source's files.
    fn host_of(&self, source: &str) -> Option<String> {
        self.locations.get(source)?.host()
    }

    /// The sources whose files are on a server.
    fn sources_on(&self, host: &str) -> impl Iterator<Item = String> {
        let locations = self.locations.iter();
        let on_it = locations.filter(move |(_, location)| location.host().as_deref() == Some(host));
        on_it.map(|(source, _)| source.clone())
    }

    /// Reports what this run has shown to have recovered.
    fn report_recovered(&self, run: &NewRun, findings: &Findings, content: bool) {
        let at = self.clock.now();
        if findings.spooled {
            self.incidents.clear(Subject::Machine, Area::Disk, at);
        }
        let subject = Subject::Source(run.source.clone());
        if !content {
            self.incidents.clear(subject.clone(), Area::Content, at);
        }
        // A run that was stopped has not shown it.
        if findings.stopped.is_none() && findings.not_archived.is_none() {
            self.incidents.clear(subject, Area::Reach, at);
        }
        // One that was let in has shown that the server works, if it did so to the end.
        let mut causes = findings.stopped.iter().chain(&findings.not_archived);
        let reached = findings.let_in && !causes.any(Cause::is_of_host);
        if let Some(host) = self.host_of(&run.source).filter(|_| reached) {
            self.incidents.clear(Subject::Host(host), Area::Reach, at);
        }
    }

    /// Records how a run ended; while the store does not answer, it tries again.
    async fn finish(
        &self,
        run: &NewRun,
        outcome: RunOutcome,
        findings: &Findings,
        retry_at: Option<DateTime<Utc>>,
        stop: &CancellationToken,
    ) {
        let end = RunEnd {
            at: self.clock.now(),
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
        let (store, owner) = (&self.store, &self.replica.name);
        let record = || store.end_run(&run.run_id, owner, &end, retry_at);
        until_answered("a run's end cannot be recorded", stop, record).await;
    }
}

/// Repeats a call while the store does not answer; `None` when the service stops meanwhile.
async fn until_answered<T, F: Future<Output = Result<T, StoreError>>>(
    what: &str,
    stop: &CancellationToken,
    call: impl Fn() -> F,
) -> Option<T> {
    while !stop.is_cancelled() {
        match call().await {
            Ok(answer) => return Some(answer),
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "{what}; it is tried again");
                sleep(Duration::from_millis(500), stop).await;
            }
        }
    }
    None
}

/// Whose problem a cause is that a run observed.
pub(super) fn subject_of(cause: &Cause, source: &str) -> Subject {
    match cause.area() {
        Area::Disk | Area::Clock => Subject::Machine,
        Area::Store => Subject::Store,
        Area::Bucket => Subject::Bucket,
        _ => Subject::Source(source.to_owned()),
    }
}
