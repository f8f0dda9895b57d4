//! The operator's commands: each is one call of the returns service, shown as a table or as
//! JSON.

mod connect;
mod diagnose;
mod dishonorable;
mod holds;
mod import;
mod incidents;
mod jobs;
mod journal;
mod json;
mod lists;
mod money;
mod ready;
mod report;
mod transfer;
mod webhooks;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use connect::Failure;
pub(crate) use holds::table as holds_table;
pub(crate) use json::effect as effect_name;
pub(crate) use money::amount;

/// Exit codes of the commands that call the service.
pub mod exit {
    /// All is well.
    pub const FINE: u8 = 0;
    /// The call failed.
    pub const FAILED: u8 = 1;
    /// It is done, and something waits for a person: holds, or lines that could not be read.
    pub const LOOK: u8 = 2;
    /// The file was rejected.
    pub const REJECTED: u8 = 3;
    /// What was asked for is not there.
    pub const NOT_FOUND: u8 = 4;
    /// The time was up.
    pub const DEADLINE: u8 = 5;
    /// The journal is not sound.
    pub const UNSOUND: u8 = 6;
    /// Something that the job needs does not work.
    pub const SICK: u8 = 7;
}

/// How a command reaches the service, and how it answers.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The returns service.
    #[arg(long, env = "ECHECK_SERVER", default_value = "http://127.0.0.1:50051")]
    pub server: String,
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
    /// How long to wait for an answer, in seconds.
    #[arg(long, default_value_t = 600)]
    pub timeout_s: u64,
}

/// Commands that call the returns service.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Import a return file.
    #[command(
        after_help = "Examples:\n  echeck import returns.ach --source nacha --wait applied\n  \
        echeck import report.csv --source worldpay_returns --dry-run\n\n\
        Exit codes: 0 done, 2 done with holds or unreadable lines, 3 file rejected, 1 failed, 5 time was up"
    )]
    Import(ImportArguments),
    /// List imports, or show one.
    #[command(
        after_help = "Examples:\n  echeck imports\n  echeck imports imp_0123456789abcdef01234567 --json"
    )]
    Imports {
        /// The import to show.
        import_id: Option<String>,
        /// Only of this source.
        #[arg(long)]
        source: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Save the CSV report of an import.
    #[command(
        after_help = "Examples:\n  echeck report imp_0123456789abcdef01234567\n  \
        echeck report imp_0123456789abcdef01234567 -o - | head\n\n\
        Exit codes: 0 saved, 2 saved but it does not tie out, 4 there is no such import, 1 failed, 5 time was up"
    )]
    Report {
        /// The import.
        import_id: String,
        /// Where to save it; `-` for standard output. Without it `IMPORT.csv` in this folder.
        #[arg(short, long)]
        output: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
    /// Show a transfer with its return.
    #[command(
        after_help = "Examples:\n  echeck transfer TR0001\n  echeck transfer --trace FNX0001 --json\n  \
        echeck transfer TR0001 --view rainforest --api-version 2023-12-01\n\n\
        Exit codes: 0 found, 4 there is no such transfer"
    )]
    Transfer {
        /// The transfer's id.
        #[arg(required_unless_present = "trace")]
        transfer_id: Option<String>,
        /// The id given to the acquirer, instead of the transfer's id.
        #[arg(long, conflicts_with = "transfer_id")]
        trace: Option<String>,
        /// As this platform shows it, instead of as the gateway has it.
        #[arg(long, value_enum)]
        view: Option<transfer::View>,
        /// The version of the platform's API, such as 2024-10-16; for rainforest.
        #[arg(long, requires = "view")]
        api_version: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Let a reversal or a restoration join a settlement.
    #[command(
        after_help = "Examples:\n  echeck ready TR5b1c0f --reason 'the merchant asked for it'\n\n\
        Exit codes: 0 it is ready, 4 the service has made no such transfer, 1 failed"
    )]
    Ready {
        /// The reversal's or the restoration's id.
        transfer_id: String,
        #[command(flatten)]
        because: Because,
    },
    /// List returns.
    #[command(
        after_help = "Examples:\n  echeck returns --code R01\n  echeck returns --import imp_… --json"
    )]
    Returns {
        /// Only of this import.
        #[arg(long)]
        import: Option<String>,
        /// Only with this code.
        #[arg(long)]
        code: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        common: Common,
    },
    /// List returns that our bank may dishonor, the most urgent first.
    #[command(
        after_help = "Examples:\n  echeck dishonorable\n  echeck dishonorable --all --import imp_…\n  \
        echeck dishonorable --json | jq -r .transfer_id\n\n\
        CODE is R61 (misrouted), R67 (duplicate), R68 (untimely) or R69 (wrong fields, listed by \
        number). LEFT are the banking days after today. docs/dishonor.md says what to do.\n\n\
        Exit codes: 0 nothing is open, 2 something is, 1 failed, 5 time was up"
    )]
    Dishonorable {
        /// Those whose last day is past, too.
        #[arg(long)]
        all: bool,
        /// Only of this import.
        #[arg(long)]
        import: Option<String>,
        /// Only of this transfer.
        #[arg(long)]
        transfer: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// List entries that wait for a person; retry or dismiss one.
    #[command(
        after_help = "Examples:\n  echeck holds\n  echeck holds retry hold_… --transfer TR0001\n  \
        echeck holds dismiss hold_… --note 'the bank sent it by mistake'",
        args_conflicts_with_subcommands = true
    )]
    Holds {
        #[command(subcommand)]
        action: Option<HoldAction>,
        /// Closed ones too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        common: Common,
    },
    /// List incidents, show one, look after it, or try the channels for alerts.
    #[command(
        after_help = "Examples:\n  echeck incidents\n  echeck incidents show inc_…\n  \
        echeck incidents ack inc_… --note 'asking the acquirer'\n  echeck incidents test-alert\n\n\
        Exit codes: 0 done, 2 something is open or a channel did not take the test, \
        4 there is no such incident",
        args_conflicts_with_subcommands = true
    )]
    Incidents {
        #[command(subcommand)]
        action: Option<IncidentAction>,
        #[command(flatten)]
        list: IncidentList,
    },
    /// Manage platforms' endpoints: make, change, try and recover them, and list deliveries.
    #[command(
        after_help = "Examples:\n  echeck webhooks list\n  echeck webhooks deliveries --state dead\n  \
        echeck webhooks test whe_…\n\n`echeck webhooks COMMAND --help` has more."
    )]
    Webhooks {
        #[command(subcommand)]
        action: webhooks::WebhookAction,
    },
    /// Check the journal, or show its rows.
    #[command(
        after_help = "Examples:\n  echeck journal verify\n  echeck journal show --after 100 --limit 5\n  \
        echeck journal adopt --database gateway --reason 'restored the backup of Sunday'\n\n\
        Exit codes of verify: 0 sound, 6 not sound"
    )]
    Journal {
        #[command(subcommand)]
        action: JournalAction,
    },
    /// Show how far the journal and each database are.
    Status {
        #[command(flatten)]
        common: Common,
    },
    /// Look at a source now: fetch what is there, import it, report it.
    #[command(
        after_help = "Examples:\n  echeck run worldpay_returns\n  echeck run worldpay_returns --no-wait --json\n\n\
        Exit codes: 0 done or nothing to do, 2 done late or with exceptions, 3 file rejected, \
        4 file missing, 1 something does not work, 5 time was up"
    )]
    Run {
        /// The source.
        source: String,
        /// Answer when the run has begun.
        #[arg(long)]
        no_wait: bool,
        /// Who asks for it; kept.
        #[arg(long, env = "USER", default_value = "unknown")]
        actor: String,
        #[command(flatten)]
        common: Common,
    },
    /// List runs of the daily job.
    #[command(
        after_help = "Examples:\n  echeck runs\n  echeck runs --source worldpay_returns --json"
    )]
    Runs {
        /// Only of this source.
        #[arg(long)]
        source: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        common: Common,
    },
    /// List the sources of the daily job; pause, resume or schedule one.
    #[command(
        after_help = "Examples:\n  echeck sources\n  echeck sources pause worldpay_returns --reason 'their maintenance'\n  \
        echeck sources schedule worldpay_returns --cron '*/15 6-20 * * *' --time-zone America/New_York \
        --days banking-days --due 10:00 --grace-minutes 30 --reason 'they publish earlier now'\n  \
        echeck sources schedule worldpay_returns --reset --reason 'as configured'",
        args_conflicts_with_subcommands = true
    )]
    Sources {
        #[command(subcommand)]
        action: Option<SourceAction>,
        #[command(flatten)]
        common: Common,
    },
    /// Show what operators changed, when and why.
    Audit {
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        common: Common,
    },
    /// Look at everything that the job needs, and name the likely cause of what does not work.
    #[command(
        after_help = "Examples:\n  echeck diagnose\n  echeck diagnose worldpay_returns --json\n\n\
        Exit codes: 0 everything works, 7 something does not"
    )]
    Diagnose {
        /// Only this source, beside what all share.
        source: Option<String>,
        #[command(flatten)]
        common: Common,
    },
}

/// What to change of a source.
#[derive(Debug, Subcommand)]
pub enum SourceAction {
    /// Begin no more runs by the clock.
    Pause {
        /// The source.
        source: String,
        #[command(flatten)]
        because: Because,
    },
    /// Begin runs by the clock again.
    Resume {
        /// The source.
        source: String,
        #[command(flatten)]
        because: Because,
    },
    /// Set another schedule, at once.
    Schedule(ScheduleArguments),
}

/// Who changes something, and why.
#[derive(Debug, Args)]
pub struct Because {
    /// Who does it; kept.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub actor: String,
    /// Why; kept.
    #[arg(long)]
    pub reason: String,
    #[command(flatten)]
    pub common: Common,
}

/// A schedule.
#[derive(Debug, Args)]
pub struct ScheduleArguments {
    /// The source.
    pub source: String,
    /// Minute, hour, day of the month, month, day of the week.
    #[arg(long, required_unless_present = "reset")]
    pub cron: Option<String>,
    /// The time zone of cron and due.
    #[arg(long, default_value = "America/New_York")]
    pub time_zone: String,
    /// The days on which it works.
    #[arg(long, value_enum, default_value_t = OnDays::BankingDays)]
    pub days: OnDays,
    /// When each day's file is due, HH:MM; none is expected without it.
    #[arg(long)]
    pub due: Option<String>,
    /// How many minutes later it is missing.
    #[arg(long, default_value_t = 30)]
    pub grace_minutes: u32,
    /// Take the configuration's schedule again.
    #[arg(long, conflicts_with_all = ["cron", "due"])]
    pub reset: bool,
    #[command(flatten)]
    pub because: Because,
}

/// The days of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnDays {
    /// Every day.
    All,
    /// Monday to Friday.
    Weekdays,
    /// Days on which the Federal Reserve settles.
    BankingDays,
}

impl ScheduleArguments {
    /// The schedule; `None` for the configuration's.
    fn schedule(&self) -> Option<echeck_proto::returns::v1::Schedule> {
        use echeck_proto::returns::v1::{Schedule, ScheduleDays};
        let days = match self.days {
            OnDays::All => ScheduleDays::All,
            OnDays::Weekdays => ScheduleDays::Weekdays,
            OnDays::BankingDays => ScheduleDays::BankingDays,
        };
        self.cron.clone().map(|cron| Schedule {
            cron,
            time_zone: self.time_zone.clone(),
            days: days.into(),
            due: self.due.clone().unwrap_or_default(),
            grace_minutes: self.grace_minutes,
        })
    }
}

/// What to import, and how.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file.
    pub file: PathBuf,
    /// The configured source that it belongs to.
    #[arg(long)]
    pub source: String,
    /// How long to wait: until it is received, decided, or applied in every database.
    #[arg(long, value_enum, default_value_t = Wait::Applied)]
    pub wait: Wait,
    /// Decide for show and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub common: Common,
}

/// How long an import waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wait {
    /// Until the file is stored and recorded.
    Received,
    /// Until every entry is decided.
    Decided,
    /// Until every database has it.
    Applied,
}

/// What to do with a hold.
#[derive(Debug, Subcommand)]
pub enum HoldAction {
    /// Look the entry up and decide it again.
    Retry {
        /// The hold.
        hold_id: String,
        /// The transfer it belongs to, instead of looking its ids up.
        #[arg(long)]
        transfer: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Close it without effect.
    Dismiss {
        /// The hold.
        hold_id: String,
        #[command(flatten)]
        who: Who,
    },
}

/// Which incidents to list.
#[derive(Debug, Args)]
pub struct IncidentList {
    /// Those that are over too.
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub common: Common,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentAction {
    /// List those that are open.
    List(IncidentList),
    /// Show one as people are told of it, with its history and its alerts.
    Show {
        /// The incident.
        incident_id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Say that you look after it, so that it is not escalated.
    Ack {
        /// The incident.
        incident_id: String,
        #[command(flatten)]
        who: Who,
    },
    /// Say that it is over. Met again, it comes back.
    Close {
        /// The incident.
        incident_id: String,
        #[command(flatten)]
        who: Who,
    },
    /// Send a test to every channel, and tell how each took it.
    TestAlert {
        /// Who asks for it; the test says so.
        #[arg(long, env = "USER", default_value = "unknown")]
        actor: String,
        #[command(flatten)]
        common: Common,
    },
}

/// Who does something, and why.
#[derive(Debug, Args)]
pub struct Who {
    /// Who does it; kept with it.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub actor: String,
    /// Why; kept with it.
    #[arg(long, default_value = "")]
    pub note: String,
    #[command(flatten)]
    pub common: Common,
}

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub enum JournalAction {
    /// Check positions, hashes, and every database's cursor.
    Verify {
        #[command(flatten)]
        common: Common,
    },
    /// Show rows.
    Show {
        /// Rows after this position.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        common: Common,
    },
    /// Put a database's cursor onto a row of this journal, after the returns database was
    /// restored from a backup.
    Adopt(AdoptArguments),
}

/// What to adopt.
#[derive(Debug, Args)]
pub struct AdoptArguments {
    /// The database whose cursor does not fit the journal.
    #[arg(long)]
    pub database: String,
    /// The last row of this journal that the database has; the end of the journal unless said.
    #[arg(long, default_value_t = 0)]
    pub position: u64,
    /// Why; kept in the returns database and in the target.
    #[arg(long)]
    pub reason: String,
    /// Who decides it; kept likewise.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub actor: String,
    /// Do it. Without this it is only said what would be done.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub common: Common,
}

/// Runs a command; the exit code says how it went.
pub async fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Import(arguments) => import::run(&arguments).await,
        Command::Imports {
            import_id: Some(id),
            common,
            ..
        } => lists::import(&id, &common).await,
        Command::Imports {
            import_id: None,
            source,
            common,
        } => lists::imports(source.as_deref(), &common).await,
        Command::Report {
            import_id,
            output,
            common,
        } => report::run(&import_id, output.as_deref(), &common).await,
        Command::Ready {
            transfer_id,
            because,
        } => ready::run(transfer_id, because).await,
        Command::Transfer {
            transfer_id,
            trace,
            view,
            api_version,
            common,
        } => {
            let shown = transfer::Shown { view, api_version };
            transfer::run(transfer_id, trace, shown, &common).await
        }
        Command::Returns {
            import,
            code,
            limit,
            common,
        } => lists::returns(import, code, limit, &common).await,
        Command::Dishonorable {
            all,
            import,
            transfer,
            common,
        } => dishonorable::list(all, import, transfer, &common).await,
        Command::Holds {
            action: None,
            all,
            common,
        } => holds::list(all, &common).await,
        Command::Holds {
            action: Some(action),
            ..
        } => holds::act(action).await,
        Command::Incidents { action: None, list } => incidents::list(&list).await,
        Command::Incidents {
            action: Some(action),
            ..
        } => incidents::act(action).await,
        Command::Webhooks { action } => webhooks::act(action).await,
        Command::Journal { action } => journal::run(action).await,
        Command::Status { common } => lists::status(&common).await,
        Command::Run {
            source,
            no_wait,
            actor,
            common,
        } => jobs::run(source, actor, no_wait, &common).await,
        Command::Runs {
            source,
            limit,
            common,
        } => jobs::runs(source, limit, &common).await,
        Command::Sources { action, common } => jobs::sources(action, &common).await,
        Command::Audit { limit, common } => jobs::audit(limit, &common).await,
        Command::Diagnose { source, common } => diagnose::run(source, &common).await,
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}
