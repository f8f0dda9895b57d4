//! `echeck sources`: the sources of the daily job, and what operators change about them.

use clap::{Args, Subcommand, ValueEnum};
use echeck_proto::returns::v1 as proto;
use proto::ScheduleDays;

use super::arguments::Change;
use super::connect::Client;
use crate::failure::Failure;
use crate::output::{Columns, Tone, field};
use crate::words::{Words as _, time};

/// What to do with sources.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck sources\n  echeck sources pause worldpay_returns --reason 'their maintenance'\n  \
    echeck sources schedule worldpay_returns --cron '*/15 6-20 * * *' --time-zone America/New_York \
    --days banking-days --due 10:00 --grace-minutes 30 --reason 'they publish earlier now'\n  \
    echeck sources schedule worldpay_returns --reset --reason 'as configured'",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct SourceArguments {
    #[command(subcommand)]
    action: Option<SourceAction>,
}

/// What to change about a source.
#[derive(Debug, Subcommand)]
enum SourceAction {
    /// Stop scheduled runs.
    Pause {
        /// The source.
        source: String,
        #[command(flatten)]
        change: Change,
    },
    /// Start scheduled runs again.
    Resume {
        /// The source.
        source: String,
        #[command(flatten)]
        change: Change,
    },
    /// Replace the schedule, at once.
    Schedule(ScheduleArguments),
}

/// A schedule.
#[derive(Debug, Args)]
struct ScheduleArguments {
    /// The source.
    source: String,
    /// Minute, hour, day of the month, month, day of the week.
    #[arg(long, required_unless_present = "reset")]
    cron: Option<String>,
    /// The time zone of cron and due.
    #[arg(long, default_value = "America/New_York")]
    time_zone: String,
    /// The days on which it runs.
    #[arg(long, value_enum, default_value_t = RunsOn::BankingDays)]
    days: RunsOn,
    /// When the file of each of these days is due, HH:MM. Without it no file is expected.
    #[arg(long, default_value = "", hide_default_value = true)]
    due: String,
    /// How many minutes after the due time the file counts as missing.
    #[arg(long, default_value_t = 30)]
    grace_minutes: u32,
    /// Restore the configured schedule.
    #[arg(long, conflicts_with_all = ["cron", "due"])]
    reset: bool,
    #[command(flatten)]
    change: Change,
}

/// The days on which a schedule runs.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
enum RunsOn {
    /// Every day.
    All = ScheduleDays::All as i32,
    /// Monday to Friday.
    Weekdays = ScheduleDays::Weekdays as i32,
    /// Days on which the Federal Reserve settles.
    BankingDays = ScheduleDays::BankingDays as i32,
}

pub(super) async fn run(arguments: SourceArguments, service: &Client) -> Result<u8, Failure> {
    match arguments.action {
        None => list(service).await,
        Some(SourceAction::Pause { source, change }) => {
            let ask = proto::PauseSourceRequest {
                source,
                request_id: change.request.request_id,
                reason: change.reason,
            };
            let answer = service.operations().pause_source(ask).await?;
            service.show_one("source", answer.into_inner().source, columns)
        }
        Some(SourceAction::Resume { source, change }) => {
            let ask = proto::ResumeSourceRequest {
                source,
                request_id: change.request.request_id,
                reason: change.reason,
            };
            let answer = service.operations().resume_source(ask).await?;
            service.show_one("source", answer.into_inner().source, columns)
        }
        Some(SourceAction::Schedule(arguments)) => schedule(arguments, service).await,
    }
}

async fn schedule(arguments: ScheduleArguments, service: &Client) -> Result<u8, Failure> {
    let schedule = arguments.cron.map(|cron| proto::Schedule {
        cron,
        time_zone: arguments.time_zone,
        days: arguments.days as i32,
        due: arguments.due,
        grace_minutes: arguments.grace_minutes,
    });
    let change = arguments.change;
    let ask = proto::SetScheduleRequest {
        source: arguments.source,
        schedule,
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.operations().set_schedule(ask).await?;
    service.show_one("source", answer.into_inner().source, columns)
}

async fn list(service: &Client) -> Result<u8, Failure> {
    let ask = proto::ListSourcesRequest {};
    let answer = service.operations().list_sources(ask).await?.into_inner();
    let none = "No source has a location to fetch files from: add [sources.NAME.sftp] to the \
                configuration.";
    service.show_all(&answer.sources, none, columns)
}

fn columns(source: &proto::JobSource) -> Columns {
    let (next, tone) = match source.paused_at {
        Some(_) => (format!("paused by {}", source.paused_by), Tone::Attention),
        None => (time(source.next_run_at.as_ref()), Tone::Plain),
    };
    let last = source.last_run.as_ref().map(proto::JobRun::outcome);
    let last_tone = last.map_or(Tone::Plain, proto::JobOutcome::tone);
    let last = last.map_or("-".to_owned(), proto::JobOutcome::words);
    let (plan, due) = source
        .schedule
        .as_ref()
        .map_or(("on request".to_owned(), "-".to_owned()), in_words);
    vec![
        field("SOURCE", &source.name),
        field("LAST", last).tone(last_tone),
        field("NEXT", next).text().tone(tone),
        field("DUE", due),
        field("SCHEDULE", plan).text().extra(1),
        field("LOCATION", &source.location).text().extra(2),
        field("PATTERN", &source.pattern).text().extra(3),
    ]
}

/// When a schedule runs, and when its file is due.
fn in_words(schedule: &proto::Schedule) -> (String, String) {
    let days = schedule.days().words();
    let plan = format!("{} {} {days}", schedule.cron, schedule.time_zone);
    let due = match schedule.due.as_str() {
        "" => "-".to_owned(),
        due => format!("{due} +{} min", schedule.grace_minutes),
    };
    (plan, due)
}
