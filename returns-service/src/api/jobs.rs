//! Sources and runs: what operators look at and change at run time.

use echeck_proto::returns::v1 as proto;
use returns_feed::timestamp;
use returns_import::Source;
use returns_model::job::{
    AuditRecord, Paused, RunRecord, SourceChange, SourceChangeTo, SourceState,
};
use returns_model::plan::{Days, Plan, PlanText};
use returns_sources::RemoteLocation;
use returns_store::Topic;
use uuid::Uuid;

use super::errors::{self, ApiError};
use super::{Api, convert_job, page};

/// Who changes something, and why.
pub(super) struct Who<'a> {
    pub(super) actor: &'a str,
    pub(super) reason: &'a str,
}

impl Api {
    fn source_with_place(&self, name: &str) -> Result<(&Source, &RemoteLocation), ApiError> {
        let source = self
            .decider
            .sources
            .get(name)
            .ok_or_else(|| errors::not_found("source", name))?;
        let location = self.scheduler.locations.get(name).ok_or_else(|| {
            errors::precondition(
                "NO_LOCATION",
                format!(
                    "source {name:?} has no location to fetch files from; add [sources.{name}.sftp] \
                     or [sources.{name}.folder] to the configuration"
                ),
            )
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
        let last = self.store.runs(Some(&source.name), None, 1).await;
        let last = last?;
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

    pub(super) async fn sources(&self) -> Result<proto::ListSourcesResponse, ApiError> {
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
        request: proto::RunJobRequest,
    ) -> Result<proto::RunJobResponse, ApiError> {
        let who = who(&request.actor, "asked for")?;
        let (source, _) = self.source_with_place(&request.source)?;
        let asked = self
            .scheduler
            .ask(&source.name, who.actor, &self.shutdown)
            .await?;
        let audit = self.audit_record(&who, "run_job", &source.name, ("", &asked.run_id));
        let kept = self.store.record_audit(&audit).await;
        kept?;
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

    /// Waits until a run has ended. The call's deadline is the server's business.
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
        request: proto::SetScheduleRequest,
    ) -> Result<proto::SetScheduleResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let plan = request
            .schedule
            .as_ref()
            .map(|schedule| Plan::parse(convert_job::plan_text(schedule)))
            .transpose()?;
        let plan = plan.map(|plan| plan.text().clone());
        let after = plan
            .as_ref()
            .map_or("the configuration's".to_owned(), plan_text);
        let to = SourceChangeTo::Plan(plan);
        let source = self
            .change(&request.source, &who, "set_schedule", after, to)
            .await?;
        Ok(proto::SetScheduleResponse {
            source: Some(source),
        })
    }

    pub(super) async fn pause_source(
        &self,
        request: proto::PauseSourceRequest,
    ) -> Result<proto::PauseSourceResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let to = SourceChangeTo::Paused(Paused {
            at: self.clock.now(),
            by: request.actor.clone(),
            reason: request.reason.clone(),
        });
        let after = "paused".to_owned();
        let source = self
            .change(&request.source, &who, "pause_source", after, to)
            .await?;
        Ok(proto::PauseSourceResponse {
            source: Some(source),
        })
    }

    pub(super) async fn resume_source(
        &self,
        request: proto::ResumeSourceRequest,
    ) -> Result<proto::ResumeSourceResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let (after, to) = ("runs".to_owned(), SourceChangeTo::Resumed);
        let source = self
            .change(&request.source, &who, "resume_source", after, to)
            .await?;
        Ok(proto::ResumeSourceResponse {
            source: Some(source),
        })
    }

    async fn change(
        &self,
        name: &str,
        who: &Who<'_>,
        action: &str,
        after: String,
        to: SourceChangeTo,
    ) -> Result<proto::JobSource, ApiError> {
        let (source, location) = self.source_with_place(name)?;
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
            audit: self.audit_record(who, action, name, (&before, &after)),
        };
        let changed = self.store.change_source(&change).await;
        if !changed? {
            return Err(errors::changed_meanwhile("source"));
        }
        tracing::info!(
            source = name,
            action,
            actor = who.actor,
            reason = who.reason,
            before,
            after,
            "an operator changed a source"
        );
        self.notifier.job_changed();
        self.job_source(source, location).await
    }

    pub(super) fn audit_record(
        &self,
        who: &Who<'_>,
        action: &str,
        source: &str,
        (before, after): (&str, &str),
    ) -> AuditRecord {
        AuditRecord {
            audit_id: format!("aud_{}", Uuid::new_v4().simple()),
            at: self.clock.now(),
            actor: who.actor.to_owned(),
            action: action.to_owned(),
            subject: format!("source:{source}"),
            before: before.to_owned(),
            after: after.to_owned(),
            reason: who.reason.to_owned(),
        }
    }

    pub(super) async fn page_of_runs(
        &self,
        request: proto::ListJobRunsRequest,
    ) -> Result<proto::ListJobRunsResponse, ApiError> {
        let size = page::size(request.page_size);
        let before = page::time_and_id(&request.page_token)?;
        let source = Some(request.source.as_str()).filter(|source| !source.is_empty());
        let runs = self.store.runs(source, before, size).await;
        let runs = runs?;
        let next_page_token = match runs.last() {
            Some(last) if runs.len() == size as usize => {
                page::token_of(last.new.started_at, &last.new.run_id)
            }
            Some(_) | None => String::new(),
        };
        Ok(proto::ListJobRunsResponse {
            runs: runs.iter().map(convert_job::run).collect(),
            next_page_token,
        })
    }

    pub(super) async fn one_run(&self, run_id: &str) -> Result<proto::GetJobRunResponse, ApiError> {
        let run = self.run_record(run_id).await?;
        Ok(proto::GetJobRunResponse {
            run: Some(convert_job::run(&run)),
        })
    }

    pub(super) async fn audit_records(
        &self,
        limit: u32,
    ) -> Result<proto::ListAuditRecordsResponse, ApiError> {
        let limit = match limit {
            0 => 100,
            limit => limit.min(1_000),
        };
        let records = self.store.audit(limit).await?;
        Ok(proto::ListAuditRecordsResponse {
            records: records.into_iter().map(convert_job::audit).collect(),
        })
    }
}

/// What operators do is recorded with their name and reason, so both are required.
pub(super) fn who<'a>(actor: &'a str, reason: &'a str) -> Result<Who<'a>, ApiError> {
    for (field, text) in [("actor", actor), ("reason", reason)] {
        if text.trim().is_empty() {
            return Err(errors::invalid(
                field,
                "is required; it is recorded in the audit log",
            ));
        }
    }
    Ok(Who { actor, reason })
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
