//! Runs and schedules on the wire.

use echeck_proto::returns::v1 as proto;
use returns_feed::timestamp;
use returns_model::job::{AuditRecord, RunFile, RunRecord};
use returns_model::plan::{Days, PlanText};
use returns_model::run_outcome::{RunOutcome, Trigger};

pub(super) fn schedule(plan: &PlanText) -> proto::Schedule {
    let days = match plan.days {
        Days::All => proto::ScheduleDays::All,
        Days::Weekdays => proto::ScheduleDays::Weekdays,
        Days::BankingDays => proto::ScheduleDays::BankingDays,
    };
    proto::Schedule {
        cron: plan.cron.clone(),
        time_zone: plan.time_zone.clone(),
        days: days.into(),
        due: plan.due.clone().unwrap_or_default(),
        grace_minutes: plan.grace_minutes,
    }
}

pub(super) fn plan_text(schedule: &proto::Schedule) -> PlanText {
    let days = match schedule.days() {
        proto::ScheduleDays::Unspecified | proto::ScheduleDays::All => Days::All,
        proto::ScheduleDays::Weekdays => Days::Weekdays,
        proto::ScheduleDays::BankingDays => Days::BankingDays,
    };
    PlanText {
        cron: schedule.cron.clone(),
        time_zone: schedule.time_zone.clone(),
        days,
        due: Some(schedule.due.clone()).filter(|due| !due.is_empty()),
        grace_minutes: schedule.grace_minutes,
    }
}

fn outcome(outcome: RunOutcome) -> proto::JobOutcome {
    match outcome {
        RunOutcome::NoActivity => proto::JobOutcome::NoActivity,
        RunOutcome::DuplicateFile => proto::JobOutcome::DuplicateFile,
        RunOutcome::Completed => proto::JobOutcome::Completed,
        RunOutcome::CompletedWithExceptions => proto::JobOutcome::CompletedWithExceptions,
        RunOutcome::FileLate => proto::JobOutcome::FileLate,
        RunOutcome::FileMissing => proto::JobOutcome::FileMissing,
        RunOutcome::ReportFailed => proto::JobOutcome::ReportFailed,
        RunOutcome::FileRejected => proto::JobOutcome::FileRejected,
        RunOutcome::TargetFailed => proto::JobOutcome::TargetFailed,
        RunOutcome::SourceUnreachable => proto::JobOutcome::SourceUnreachable,
        RunOutcome::StoreUnreachable => proto::JobOutcome::StoreUnreachable,
    }
}

fn trigger(trigger: Trigger) -> proto::JobTrigger {
    match trigger {
        Trigger::Schedule => proto::JobTrigger::Schedule,
        Trigger::CatchUp => proto::JobTrigger::CatchUp,
        Trigger::Due => proto::JobTrigger::Due,
        Trigger::Retry => proto::JobTrigger::Retry,
        Trigger::Manual => proto::JobTrigger::Manual,
    }
}

pub(super) fn run(run: &RunRecord) -> proto::JobRun {
    let new = &run.new;
    let ended = run.ended.as_ref();
    proto::JobRun {
        run_id: new.run_id.clone(),
        source: new.source.clone(),
        slot: new.slot.clone(),
        trigger: trigger(new.trigger).into(),
        actor: new.actor.clone().unwrap_or_default(),
        started_at: Some(timestamp(new.started_at)),
        ended_at: ended.map(|end| timestamp(end.at)),
        outcome: ended
            .map_or(proto::JobOutcome::Running, |end| outcome(end.outcome))
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
        outcome: outcome(file.outcome).into(),
        summary: file.what.clone(),
    }
}

pub(super) fn audit(record: AuditRecord) -> proto::AuditRecord {
    proto::AuditRecord {
        audit_id: record.audit_id,
        at: Some(timestamp(record.at)),
        actor: record.actor,
        action: record.action,
        subject: record.subject,
        before: record.before,
        after: record.after,
        reason: record.reason,
    }
}
