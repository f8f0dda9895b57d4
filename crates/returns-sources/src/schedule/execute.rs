//! Carrying a run out: the work itself, then who is told of what, and what is kept of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use echeck_service::ErrorChain;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::job::{NewRun, RunEnd, SourceState};
use returns_model::plan::Plan;
use returns_model::run_outcome::RunOutcome;
use tokio_util::sync::CancellationToken;

use super::findings::Findings;
use super::run::RunContext;
use super::scheduler::{RetryTimes, Scheduler};

impl Scheduler {
    /// Does a run to its end and keeps what came of it.
    pub(super) async fn execute(&self, run: &NewRun, stop: &CancellationToken) {
        let configured = self
            .sources
            .get(&run.source)
            .zip(self.locations.get(&run.source));
        let Some((source, location)) = configured else {
            // A source that was taken out of the configuration: its run can only be ended.
            return self
                .end(run, RunOutcome::NoActivity, &Findings::default(), stop)
                .await;
        };
        let mut findings = Findings::default();
        let state = match self.state_of(&run.source, stop).await {
            Some(state) => state,
            None => return,
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
            // Whoever comes next goes on with it.
            return;
        }
        let mut outcome = findings.outcome();
        if let Err(error) = &done {
            tracing::error!(run_id = run.run_id, source = run.source, error = %ErrorChain(error), "the run was stopped");
            outcome = outcome.max(error.outcome());
            findings.stopped = Some(error.cause());
        }
        let retry_at = self.retry_at(&state, plan.as_ref(), outcome, &findings);
        let next_try_at = self.next_try_at(&state, retry_at);
        self.report_findings(run, &findings, next_try_at);
        self.finish(run, outcome, &findings, retry_at, stop).await;
    }

    /// Where operators have left a source; waits while the store does not answer.
    async fn state_of(&self, source: &str, stop: &CancellationToken) -> Option<SourceState> {
        while !stop.is_cancelled() {
            let now = self.clock.now();
            match self.store.source_state(source, now).await {
                Ok(state) => return Some(state),
                Err(error) => {
                    tracing::error!(source, error = %ErrorChain(&error), "a source's state cannot be read");
                    pause(stop).await;
                }
            }
        }
        None
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
        let RetryTimes {
            first,
            longest,
            missing,
        } = self.retry;
        if outcome.is_worth_a_retry() || findings.unsettled {
            let doubled = first.saturating_mul(2_u32.saturating_pow(state.retries.min(16)));
            return Some(after(doubled.min(longest)));
        }
        let absence = findings.presence.as_ref()?;
        let again = after(missing);
        let slot = plan.and_then(|plan| plan.next_slot(now));
        let may_still_come = again < absence.until && slot.is_none_or(|slot| again < slot);
        may_still_come.then_some(again)
    }

    /// When a source is looked at next: by a retry, or else as its plan says.
    pub(super) fn next_try_at(
        &self,
        state: &SourceState,
        retry_at: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        retry_at.or_else(|| self.next_run_at(&without_retry(state)))
    }

    /// Reports what is wrong, and what is right again.
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
        if let Some(absence) = &findings.presence {
            let subject = absence.subject(&run.source);
            self.report(run, subject, &absence.cause, None, next_try_at);
        }
        if let Some(cause) = &findings.not_put_away {
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
        self.incidents.report(Problem {
            source: Some(run.source.clone()),
            import_id: import_id.cloned(),
            run_id: Some(run.run_id.clone()),
            next_try_at,
            ..Problem::new(subject, cause.clone(), at)
        });
    }

    /// Says what this run has shown to be right again.
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
        if findings.stopped.is_none() && findings.not_put_away.is_none() {
            self.incidents.clear(subject, Area::Reach, at);
        }
    }

    async fn end(
        &self,
        run: &NewRun,
        outcome: RunOutcome,
        findings: &Findings,
        stop: &CancellationToken,
    ) {
        self.finish(run, outcome, findings, None, stop).await;
    }

    /// Keeps how a run ended; while the store does not answer, again and again.
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
        while !stop.is_cancelled() {
            match store.end_run(&run.run_id, owner, &end, retry_at).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(error = %ErrorChain(&error), "a run's end cannot be kept; it is tried again");
                    pause(stop).await;
                }
            }
        }
    }
}

/// A source as it is once the retry that this run may have been is over.
fn without_retry(state: &SourceState) -> SourceState {
    SourceState {
        retry_at: None,
        ..state.clone()
    }
}

/// Waits a little before the store is asked again.
async fn pause(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
    }
}

/// Whose problem it is that a run met.
pub(super) fn subject_of(cause: &Cause, source: &str) -> Subject {
    match cause.area() {
        Area::Disk | Area::Clock => Subject::Machine,
        Area::Store => Subject::Store,
        Area::Bucket => Subject::Bucket,
        Area::Reach
        | Area::Presence
        | Area::Content
        | Area::Target
        | Area::Import
        | Area::Alerting
        | Area::Webhook => Subject::Source(source.to_owned()),
    }
}
