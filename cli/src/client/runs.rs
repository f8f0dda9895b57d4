//! `echeck run` and `runs`: runs of the daily job.

use std::io;

use clap::Args;
use echeck_proto::returns::v1 as proto;
use echeck_service::shutdown;
use proto::JobOutcome;
use tonic::Code;

use super::arguments::RequestId;
use super::connect::{Client, pages};
use super::show::or_dash;
use crate::exit;
use crate::failure::{Failure, missing};
use crate::output::{Columns, Progress, Table, field, grouped, note, out};
use crate::words::{Words as _, shell_word, time};

/// Which source to run.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck run worldpay_returns\n  echeck run worldpay_returns --no-wait --json\n\n\
    Exit codes: 0 done or nothing to do, 2 done late or with exceptions, 3 file rejected, \
    4 file missing, 1 something is unavailable, 5 deadline passed"
)]
pub(crate) struct RunArguments {
    /// The source.
    source: String,
    /// Answer when the run has started, instead of when it has ended.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    request: RequestId,
}

/// Which runs to list.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  echeck runs\n  echeck runs --source worldpay_returns --json")]
pub(crate) struct ListRunsArguments {
    /// Only of this source.
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// The maximum number of runs.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

/// Runs a source now.
pub(super) async fn run(arguments: RunArguments, service: &Client) -> Result<u8, Failure> {
    let RunArguments {
        source,
        no_wait,
        request: RequestId { request_id },
    } = arguments;
    let ask = proto::RunJobRequest {
        source: source.clone(),
        request_id,
        wait: !no_wait,
    };
    let mut progress = Progress::of_something(no_wait || service.json);
    progress.set(&format!("running {source}"), 0, 0);
    let mut operations = service.operations();
    let interrupted = shutdown::on_signal();
    let answer = tokio::select! {
        answer = operations.run_job(ask) => answer.map_err(Failure::from),
        () = interrupted.cancelled() => Err(Failure::Interrupted),
    };
    progress.finish();
    if answer.as_ref().is_err_and(goes_on) {
        let source = shell_word(&source);
        note(&format!(
            "a run that has begun continues by itself; see it with: echeck runs --source {source}"
        ));
    }
    let answer = answer?.into_inner();
    let run = answer.run.ok_or_else(|| missing("run"))?;
    if answer.joined && !service.json {
        writeln!(out(), "A run was in progress already; this is that run.")?;
    }
    service.show(&run, print)?;
    Ok(code(run.outcome()))
}

/// Whether a run may be going on, though nobody waits for it any more.
fn goes_on(failure: &Failure) -> bool {
    match failure {
        Failure::Interrupted => true,
        Failure::Status(status) => matches!(
            status.code(),
            Code::DeadlineExceeded | Code::Unavailable | Code::Cancelled
        ),
        Failure::Unreachable { .. } | Failure::Local(_) | Failure::Usage(_) => false,
    }
}

/// The exit code of an outcome.
fn code(outcome: JobOutcome) -> u8 {
    match outcome {
        JobOutcome::Unspecified
        | JobOutcome::Running
        | JobOutcome::Completed
        | JobOutcome::NoActivity
        | JobOutcome::DuplicateFile => exit::OK,
        JobOutcome::CompletedWithExceptions | JobOutcome::FileLate => exit::NEEDS_ATTENTION,
        JobOutcome::FileRejected => exit::REJECTED,
        JobOutcome::FileMissing => exit::NOT_FOUND,
        JobOutcome::SourceUnreachable
        | JobOutcome::StoreUnreachable
        | JobOutcome::TargetFailed
        | JobOutcome::ReportFailed => exit::FAILED,
    }
}

fn print(run: &proto::JobRun) -> io::Result<()> {
    Table::of([run], columns).print()?;
    if run.files.is_empty() {
        return Ok(());
    }
    let files = Table::of(&run.files, |file| {
        vec![
            field("FILE", &file.name).text(),
            field("BYTES", grouped(file.size_bytes)).right().extra(1),
            field("IMPORT", or_dash(&file.import_id)),
            field("OUTCOME", file.outcome().words()).tone(file.outcome().tone()),
            field("SUMMARY", &file.summary).text().extra(2),
        ]
    });
    writeln!(out())?;
    files.print()
}

/// Lists runs.
pub(super) async fn list(arguments: ListRunsArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListJobRunsRequest {
            source: arguments.source.clone(),
            page_size,
            page_token,
        };
        let answer = service.operations().list_job_runs(ask).await?;
        let answer = answer.into_inner();
        Ok((answer.runs, answer.next_page_token))
    });
    service.show_list(&found.await?, "No runs yet.", columns)
}

fn columns(run: &proto::JobRun) -> Columns {
    vec![
        field("RUN", &run.run_id),
        field("SOURCE", &run.source),
        field("STARTED", time(run.started_at.as_ref())),
        field("BY", run.trigger().words()).extra(2),
        field("OUTCOME", run.outcome().words()).tone(run.outcome().tone()),
        field("SUMMARY", &run.summary).text().extra(1),
    ]
}
