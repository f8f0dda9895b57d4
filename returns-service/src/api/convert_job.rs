//! Runs and schedules on the wire.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_model::job::{RunFile, RunRecord};
use returns_model::plan::{Days, PlanText};

use super::enums::{ToProto as _, requested};
use super::errors::ApiError;

pub(super) fn schedule(plan: &PlanText) -> proto::Schedule {
    proto::Schedule {
        cron: plan.cron.clone(),
        time_zone: plan.time_zone.clone(),
        days: plan.days.to_proto().into(),
        due: plan.due.clone().unwrap_or_default(),
        grace_minutes: plan.grace_minutes,
    }
}

pub(super) fn plan_text(schedule: &proto::Schedule) -> Result<PlanText, ApiError> {
    let days = requested::<proto::ScheduleDays>("schedule.days", schedule.days)?;
    Ok(PlanText {
        cron: schedule.cron.clone(),
        time_zone: schedule.time_zone.clone(),
        days: days.unwrap_or(Days::All),
        due: Some(schedule.due.clone()).filter(|due| !due.is_empty()),
        grace_minutes: schedule.grace_minutes,
    })
}

pub(super) fn run(run: &RunRecord) -> proto::JobRun {
    let new = &run.new;
    let ended = run.ended.as_ref();
    proto::JobRun {
        run_id: new.run_id.clone(),
        source: new.source.clone(),
        slot: new.slot.clone(),
        trigger: new.trigger.to_proto().into(),
        actor: new.actor.clone().unwrap_or_default(),
        started_at: Some(timestamp(new.started_at)),
        ended_at: ended.map(|end| timestamp(end.at)),
        outcome: ended
            .map_or(proto::JobOutcome::Running, |end| end.outcome.to_proto())
            .into(),
        summary: ended.map(|end| end.summary.clone()).unwrap_or_default(),
        cause: ended.and_then(|end| end.cause.clone()).unwrap_or_default(),
        files: ended
            .map(|end| end.files.iter().map(run_file).collect())
            .unwrap_or_default(),
    }
}

fn run_file(file: &RunFile) -> proto::JobRunFile {
    proto::JobRunFile {
        name: file.name.clone(),
        size_bytes: file.size_bytes,
        import_id: file.import_id.clone().unwrap_or_default(),
        outcome: file.outcome.to_proto().into(),
        summary: file.what.clone(),
    }
}
