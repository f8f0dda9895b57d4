//! Sources and runs: what operators look at and change at run time.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::access::Caller;
use returns_import::Source;
use returns_model::job::{Paused, RunRecord, SourceChange, SourceChangeTo, SourceState};
use returns_model::plan::{Days, Plan, PlanText};
use returns_sources::RemoteLocation;
use returns_store::Topic;

use super::errors::{self, ApiError};
use super::filter::Filters;
use super::operator::Operator;
use super::{Api, answer, convert_job, page};

impl Api {
    fn source_with_location(&self, name: &str) -> Result<(&Source, &RemoteLocation), ApiError> {
        let source = self
            .decider
            .sources
            .get(name)
            .ok_or_else(|| errors::not_found("source", name))?;
        let location = self.scheduler.locations.get(name).ok_or_else(|| {
            let what = format!(
                "source {name:?} has no location to fetch files from; add [sources.{name}.sftp] \
                 or [sources.{name}.folder] to the configuration"
            );
            errors::precondition("NO_LOCATION", what)
        })?;
        Ok((source, location))
    }

    async fn state_of(&self, source: &str) -> Result<SourceState, ApiError> {
        let now = self.clock.now();
        Ok(self.store.source_state(source, now).await?)
    }

    async fn job_source(
        &self,
        source: &Source,
        location: &RemoteLocation,
    ) -> Result<proto::JobSource, ApiError> {
        let state = self.state_of(&source.name).await?;
        let last = self.store.runs(Some(&source.name), None, 1).await?;
        let plan = self.scheduler.plan(&state);
        let next_run_at = self.scheduler.next_run_at(&state);
        let paused = state.paused.as_ref();
        Ok(proto::JobSource {
            name: source.name.clone(),
            location: location.shown(),
            pattern: location.pattern.as_str().to_owned(),
            schedule: plan.as_ref().map(|plan| convert_job::schedule(plan.text())),
            schedule_overridden: state.plan.is_some(),
            next_run_at: next_run_at.map(timestamp),
            paused_at: paused.map(|paused| timestamp(paused.at)),
            paused_by: paused.map(|paused| paused.by.clone()).unwrap_or_default(),
            pause_reason: paused
                .map(|paused| paused.reason.clone())
                .unwrap_or_default(),
            last_run: last.first().map(convert_job::run),
            version: state.version,
        })
    }

    pub(super) async fn list_sources(
        &self,
        _: proto::ListSourcesRequest,
    ) -> Result<proto::ListSourcesResponse, ApiError> {
        let mut sources = Vec::new();
        for source in self.decider.sources.values() {
            if let Some(location) = self.scheduler.locations.get(&source.name) {
                sources.push(self.job_source(source, location).await?);
            }
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(proto::ListSourcesResponse { sources })
    }

    pub(super) async fn run_job(
        &self,
        caller: &Caller,
        request: proto::RunJobRequest,
    ) -> Result<proto::RunJobResponse, ApiError> {
        let operator = Operator::of(caller, &request.request_id, "asked for");
        let (source, _) = self.source_with_location(&request.source)?;
        let asked = self
            .scheduler
            .ask(&source.name, operator.identity(), &self.shutdown)
            .await?;
        let action = ("run_job", subject(&source.name), ("", &*asked.run_id));
        let audit = operator.audit(self.clock.now(), action);
        self.store.record_audit(&audit).await?;
        let run = if request.wait {
            self.ended_run(&asked.run_id).await?
        } else {
            self.run_record(&asked.run_id).await?
        };
        Ok(proto::RunJobResponse {
            run: Some(convert_job::run(&run)),
            joined: asked.joined,
        })
    }

    async fn run_record(&self, run_id: &str) -> Result<RunRecord, ApiError> {
        self.store
            .run(run_id)
            .await?
            .ok_or_else(|| errors::not_found("run", run_id))
    }

    /// Waits until a run has ended. The server enforces the call's deadline.
    async fn ended_run(&self, run_id: &str) -> Result<RunRecord, ApiError> {
        loop {
            let seen = self.notifier.seen();
            let run = self.run_record(run_id).await?;
            if run.ended.is_some() {
                return Ok(run);
            }
            if self.shutdown.is_cancelled() {
                return Err(errors::stopping());
            }
            let longest = std::time::Duration::from_millis(250);
            self.notifier
                .wait(seen, &[Topic::Job], longest, &self.shutdown)
                .await;
        }
    }

    pub(super) async fn set_schedule(
        &self,
        caller: &Caller,
        request: proto::SetScheduleRequest,
    ) -> Result<proto::SetScheduleResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let plan = request
            .schedule
            .as_ref()
            .map(|schedule| Ok::<_, ApiError>(Plan::parse(convert_job::plan_text(schedule)?)?))
            .transpose()?;
        let plan = plan.map(|plan| plan.text().clone());
        let after = plan
            .as_ref()
            .map_or("the configuration's".to_owned(), plan_text);
        let to = SourceChangeTo::Plan(plan);
        let action = ("set_schedule", &*after, to);
        let source = self.change(&request.source, operator, action).await?;
        Ok(proto::SetScheduleResponse { source })
    }

    pub(super) async fn pause_source(
        &self,
        caller: &Caller,
        request: proto::PauseSourceRequest,
    ) -> Result<proto::PauseSourceResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let to = SourceChangeTo::Paused(Paused {
            at: self.clock.now(),
            by: operator.identity().to_owned(),
            reason: request.reason.clone(),
        });
        let action = ("pause_source", "paused", to);
        let source = self.change(&request.source, operator, action).await?;
        Ok(proto::PauseSourceResponse { source })
    }

    pub(super) async fn resume_source(
        &self,
        caller: &Caller,
        request: proto::ResumeSourceRequest,
    ) -> Result<proto::ResumeSourceResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let action = ("resume_source", "runs", SourceChangeTo::Resumed);
        let source = self.change(&request.source, operator, action).await?;
        Ok(proto::ResumeSourceResponse { source })
    }

    async fn change(
        &self,
        name: &str,
        operator: Operator<'_>,
        (action, after, to): (&str, &str, SourceChangeTo),
    ) -> Result<Option<proto::JobSource>, ApiError> {
        let (source, location) = self.source_with_location(name)?;
        let state = self.state_of(name).await?;
        let before = match (&to, &state.paused) {
            (SourceChangeTo::Plan(_), _) => self
                .scheduler
                .plan(&state)
                .map_or("none".to_owned(), |plan| plan_text(plan.text())),
            (SourceChangeTo::Paused(_) | SourceChangeTo::Resumed, Some(paused)) => {
                format!("paused by {} ({})", paused.by, paused.reason)
            }
            (SourceChangeTo::Paused(_) | SourceChangeTo::Resumed, None) => "runs".to_owned(),
        };
        let change = SourceChange {
            source: name.to_owned(),
            seen_version: state.version,
            to,
            audit: operator.audit(self.clock.now(), (action, subject(name), (&before, after))),
        };
        if !self.store.change_source(&change).await? {
            return Err(errors::changed_meanwhile("source"));
        }
        tracing::info!(
            source = name,
            action,
            actor = operator.identity(),
            reason = operator.reason,
            before,
            after,
            "an operator changed a source"
        );
        self.notifier.job_changed();
        Ok(Some(self.job_source(source, location).await?))
    }

    pub(super) async fn list_job_runs(
        &self,
        request: proto::ListJobRunsRequest,
    ) -> Result<proto::ListJobRunsResponse, ApiError> {
        let size = page::size(request.page_size);
        let before = page::place(&request.page_token)?;
        let source = page::given(&request.source);
        let runs = self.store.runs(source, before, size).await?;
        if runs.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                source: &request.source,
                ..Filters::default()
            };
            self.check_filters(filters).await?;
        }
        let place = |last: &RunRecord| (last.new.started_at, last.new.run_id.clone());
        let end = page::next(&runs, size, place);
        let (runs, next_page_token) =
            answer::page(runs, end, place, |run| Some(convert_job::run(&run)));
        Ok(proto::ListJobRunsResponse {
            runs,
            next_page_token,
        })
    }

    pub(super) async fn get_job_run(
        &self,
        request: proto::GetJobRunRequest,
    ) -> Result<proto::GetJobRunResponse, ApiError> {
        let run = self.run_record(&request.run_id).await?;
        Ok(proto::GetJobRunResponse {
            run: Some(convert_job::run(&run)),
        })
    }
}

/// What the audit log calls a source.
fn subject(source: &str) -> String {
    format!("source:{source}")
}

/// A plan in one line.
fn plan_text(plan: &PlanText) -> String {
    let due = plan.due.as_ref().map_or_else(String::new, |due| {
        format!(", due {due} and {} minutes", plan.grace_minutes)
    });
    let days = match plan.days {
        Days::All => "every day",
        Days::Weekdays => "Monday to Friday",
        Days::BankingDays => "banking days",
    };
    format!("{:?} in {}, {days}{due}", plan.cron, plan.time_zone)
}
