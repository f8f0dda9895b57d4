//! `echeck run`, `runs`, `sources` and `audit`: the daily job.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;
use proto::JobOutcome;

use super::connect::{operations, request};
use super::{Because, Common, Failure, SourceAction, exit, json};
use crate::output::{Table, print_line};

/// Runs a source now.
pub(super) async fn run(
    source: String,
    actor: String,
    no_wait: bool,
    common: &Common,
) -> Result<u8, Failure> {
    let ask = proto::RunJobRequest {
        source,
        actor,
        wait: !no_wait,
    };
    let waiting = (!no_wait && !common.json).then(|| {
        let bar = indicatif::ProgressBar::new_spinner().with_message("the run goes on");
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        bar
    });
    let answer = operations(common)
        .await?
        .run_job(request(common, ask))
        .await;
    if let Some(bar) = waiting {
        bar.finish_and_clear();
    }
    let answer = answer?.into_inner();
    let run = answer.run.context("the service sent no run")?;
    if common.json {
        print_line(&json::run(&run).to_string())?;
    } else {
        if answer.joined {
            print_line("A run was going on already; this is that one.")?;
        }
        runs_table(std::slice::from_ref(&run)).print()?;
        print_files(&run)?;
    }
    Ok(code(run.outcome()))
}

/// The exit code that an outcome has.
fn code(outcome: JobOutcome) -> u8 {
    match outcome {
        JobOutcome::Unspecified
        | JobOutcome::Completed
        | JobOutcome::NoActivity
        | JobOutcome::DuplicateFile => exit::FINE,
        JobOutcome::CompletedWithExceptions | JobOutcome::FileLate => exit::LOOK,
        JobOutcome::FileRejected => exit::REJECTED,
        JobOutcome::FileMissing => exit::NOT_FOUND,
        JobOutcome::SourceUnreachable
        | JobOutcome::StoreUnreachable
        | JobOutcome::TargetFailed
        | JobOutcome::ReportFailed => exit::FAILED,
    }
}

fn print_files(run: &proto::JobRun) -> Result<(), Failure> {
    if run.files.is_empty() {
        if !run.summary.is_empty() {
            print_line(&run.summary)?;
        }
        return Ok(());
    }
    let mut table = Table::new(&["FILE", ">BYTES", "IMPORT", "OUTCOME", "WHAT"]);
    for file in &run.files {
        table.row(vec![
            shown(&file.name),
            file.size_bytes.to_string(),
            file.import_id.clone(),
            json::outcome(file.outcome()),
            file.what.clone(),
        ]);
    }
    print_line("")?;
    table.print()?;
    Ok(())
}

/// A name that others chose, with odd characters escaped so that it cannot fool a terminal.
fn shown(name: &str) -> String {
    let quoted = format!("{name:?}");
    quoted[1..quoted.len() - 1].to_owned()
}

/// Lists runs.
pub(super) async fn runs(
    source: Option<String>,
    limit: u32,
    common: &Common,
) -> Result<u8, Failure> {
    let ask = proto::ListJobRunsRequest {
        source: source.unwrap_or_default(),
        page_size: limit,
        page_token: String::new(),
    };
    let answer = operations(common)
        .await?
        .list_job_runs(request(common, ask))
        .await?
        .into_inner();
    if common.json {
        for run in &answer.runs {
            print_line(&json::run(run).to_string())?;
        }
    } else if answer.runs.is_empty() {
        print_line("No run yet.")?;
    } else {
        runs_table(&answer.runs).print()?;
    }
    Ok(exit::FINE)
}

fn runs_table(runs: &[proto::JobRun]) -> Table {
    let mut table = Table::new(&["RUN", "SOURCE", "BEGAN", "BY", "OUTCOME", "SUMMARY"]);
    for run in runs {
        let outcome = match run.outcome() {
            JobOutcome::Unspecified => "running".to_owned(),
            outcome => json::outcome(outcome),
        };
        table.row(vec![
            run.run_id.clone(),
            run.source.clone(),
            json::moment(run.started_at.as_ref()),
            json::trigger(run.trigger()),
            outcome,
            run.summary.clone(),
        ]);
    }
    table
}

/// Lists sources, or changes one.
pub(super) async fn sources(action: Option<SourceAction>, common: &Common) -> Result<u8, Failure> {
    let Some(action) = action else {
        return list_sources(common).await;
    };
    let (source, common) = match action {
        SourceAction::Pause { source, because } => {
            let Because {
                actor,
                reason,
                common,
            } = because;
            let ask = proto::PauseSourceRequest {
                source,
                actor,
                reason,
            };
            let answer = operations(&common)
                .await?
                .pause_source(request(&common, ask))
                .await?;
            (answer.into_inner().source, common)
        }
        SourceAction::Resume { source, because } => {
            let Because {
                actor,
                reason,
                common,
            } = because;
            let ask = proto::ResumeSourceRequest {
                source,
                actor,
                reason,
            };
            let answer = operations(&common)
                .await?
                .resume_source(request(&common, ask))
                .await?;
            (answer.into_inner().source, common)
        }
        SourceAction::Schedule(arguments) => {
            let schedule = arguments.schedule();
            let Because {
                actor,
                reason,
                common,
            } = arguments.because;
            let ask = proto::SetScheduleRequest {
                source: arguments.source,
                schedule,
                actor,
                reason,
            };
            let answer = operations(&common)
                .await?
                .set_schedule(request(&common, ask))
                .await?;
            (answer.into_inner().source, common)
        }
    };
    let source = source.context("the service sent no source")?;
    if common.json {
        print_line(&json::source(&source).to_string())?;
    } else {
        sources_table(std::slice::from_ref(&source)).print()?;
    }
    Ok(exit::FINE)
}

async fn list_sources(common: &Common) -> Result<u8, Failure> {
    let ask = proto::ListSourcesRequest {};
    let answer = operations(common)
        .await?
        .list_sources(request(common, ask))
        .await?
        .into_inner();
    if common.json {
        for source in &answer.sources {
            print_line(&json::source(source).to_string())?;
        }
    } else if answer.sources.is_empty() {
        print_line(
            "No source has a place to fetch files from; see [sources.NAME.sftp] in the configuration.",
        )?;
    } else {
        sources_table(&answer.sources).print()?;
    }
    Ok(exit::FINE)
}

fn sources_table(sources: &[proto::JobSource]) -> Table {
    let mut table = Table::new(&[
        "SOURCE", "PLACE", "PATTERN", "SCHEDULE", "DUE", "NEXT", "LAST",
    ]);
    for source in sources {
        let schedule = source.schedule.clone().unwrap_or_default();
        let due = if schedule.due.is_empty() {
            "-".to_owned()
        } else {
            format!("{} +{} min", schedule.due, schedule.grace_minutes)
        };
        let next = if source.paused_at.is_some() {
            format!("paused by {}", source.paused_by)
        } else {
            json::moment(source.next_run_at.as_ref())
        };
        let last = source
            .last_run
            .as_ref()
            .map_or("-".to_owned(), |run| match run.outcome() {
                JobOutcome::Unspecified => "running".to_owned(),
                outcome => json::outcome(outcome),
            });
        let plan = match &source.schedule {
            Some(schedule) => format!(
                "{} {} {}",
                schedule.cron,
                schedule.time_zone,
                json::days(schedule.days())
            ),
            None => "by hand".to_owned(),
        };
        table.row(vec![
            source.name.clone(),
            source.place.clone(),
            source.pattern.clone(),
            plan,
            due,
            next,
            last,
        ]);
    }
    table
}

/// Lists what operators did.
pub(super) async fn audit(limit: u32, common: &Common) -> Result<u8, Failure> {
    let ask = proto::ListAuditRecordsRequest { limit };
    let answer = operations(common)
        .await?
        .list_audit_records(request(common, ask))
        .await?
        .into_inner();
    if common.json {
        for record in &answer.records {
            print_line(&json::audit(record).to_string())?;
        }
        return Ok(exit::FINE);
    }
    let mut table = Table::new(&["AT", "WHO", "DID", "TO", "BEFORE", "AFTER", "WHY"]);
    for record in answer.records {
        table.row(vec![
            json::moment(record.at.as_ref()),
            record.actor,
            record.action,
            record.subject,
            record.before,
            record.after,
            record.reason,
        ]);
    }
    table.print()?;
    Ok(exit::FINE)
}
