//! The operator's commands. Each is one call of the returns service, shown as a table or as
//! JSON, and stands in a file of its own with its arguments.

mod audit;
mod connect;
mod diagnose;
mod dishonorable;
mod holds;
mod import;
mod imports;
mod incidents;
mod journal;
mod json;
mod release;
mod report;
mod returns;
mod runs;
mod show;
mod sources;
mod status;
mod transfer;
mod webhooks;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use connect::{Failure, Service};
pub(crate) use holds::columns as hold_columns;
pub(crate) use show::amount;
pub(crate) use words::Words;

/// Exit codes of the commands that call the service.
mod exit {
    /// The command is done.
    pub(super) const OK: u8 = 0;
    /// The call failed.
    pub(super) const FAILED: u8 = 1;
    /// It is done, and something needs a person: holds, or lines that could not be read.
    pub(super) const NEEDS_ATTENTION: u8 = 2;
    /// The file was rejected.
    pub(super) const REJECTED: u8 = 3;
    /// There is no such thing.
    pub(super) const NOT_FOUND: u8 = 4;
    /// The deadline passed.
    pub(super) const DEADLINE: u8 = 5;
    /// The journal is not sound.
    pub(super) const NOT_SOUND: u8 = 6;
    /// Something that the job needs is unavailable.
    pub(super) const UNHEALTHY: u8 = 7;

    /// Done when everything is well, or else `otherwise`.
    pub(super) fn ok_if(well: bool, otherwise: u8) -> u8 {
        if well { OK } else { otherwise }
    }
}

/// How a command reaches the service, and how it answers.
#[derive(Debug, Args)]
struct Common {
    /// The address of the returns service.
    #[arg(
        long,
        global = true,
        env = "ECHECK_SERVER",
        default_value = "http://127.0.0.1:50051"
    )]
    server: String,
    /// Print JSON, one object per line.
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for an answer, in seconds.
    #[arg(long, global = true, default_value_t = 600)]
    timeout_s: u64,
}

/// Who changes something, and why.
#[derive(Debug, Args)]
struct Change {
    /// Who decided it; recorded in the audit log.
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
    /// Why; recorded in the audit log.
    #[arg(long)]
    reason: String,
}

/// Who does something, and a note.
#[derive(Debug, Args)]
struct Note {
    /// Who does it; recorded with it.
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
    /// A note; recorded with it.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

/// A command with its own arguments, and those that all commands have.
#[derive(Debug, Args)]
pub(crate) struct Call<T: Args> {
    #[command(flatten)]
    arguments: T,
    #[command(flatten)]
    common: Common,
}

impl<T: Args> Call<T> {
    async fn run(self, run: impl AsyncFnOnce(T, &Service) -> Result<u8, Failure>) -> ExitCode {
        let outcome = match Service::connect(&self.common).await {
            Ok(service) => run(self.arguments, &service).await,
            Err(failure) => Err(failure),
        };
        ExitCode::from(outcome.unwrap_or_else(|failure| {
            failure.print();
            failure.code()
        }))
    }
}

/// No arguments of its own.
#[derive(Debug, Args)]
pub(crate) struct NoArguments {}

/// Commands that call the returns service.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Import a return file.
    Import(Call<import::Arguments>),
    /// List imports, or show one.
    Imports(Call<imports::Arguments>),
    /// Save the CSV report of an import.
    Report(Call<report::Arguments>),
    /// Show a transfer with its return.
    Transfer(Call<transfer::Arguments>),
    /// List returns.
    Returns(Call<returns::Arguments>),
    /// List returns that our bank may dishonor, the most urgent first.
    Dishonorable(Call<dishonorable::Arguments>),
    /// Release a reversal or a restoration, so that it can join a settlement.
    Release(Call<release::Arguments>),
    /// List entries that wait for a person; retry or dismiss one.
    Holds(Call<holds::Arguments>),
    /// List incidents; show, acknowledge or close one; test the alert channels.
    Incidents(Call<incidents::Arguments>),
    /// Manage the endpoints of platforms, and list what was sent to them.
    Webhooks(Call<webhooks::Arguments>),
    /// Verify the journal, show its rows, or adopt a cursor.
    Journal(Call<journal::Arguments>),
    /// Show how far the journal and each database are.
    Status(Call<NoArguments>),
    /// Run a source now: fetch its files, import them, report them.
    Run(Call<runs::RunArguments>),
    /// List runs of the daily job.
    Runs(Call<runs::ListArguments>),
    /// List the sources of the daily job; pause, resume or schedule one.
    Sources(Call<sources::Arguments>),
    /// Show what operators changed, when and why.
    Audit(Call<audit::Arguments>),
    /// Check everything that the job needs, and name the likely cause of what is unavailable.
    Diagnose(Call<diagnose::Arguments>),
}

/// Runs a command. The exit code says how it ended.
pub(crate) async fn run(command: Command) -> ExitCode {
    match command {
        Command::Import(call) => call.run(import::run).await,
        Command::Imports(call) => call.run(imports::run).await,
        Command::Report(call) => call.run(report::run).await,
        Command::Transfer(call) => call.run(transfer::run).await,
        Command::Returns(call) => call.run(returns::run).await,
        Command::Dishonorable(call) => call.run(dishonorable::run).await,
        Command::Release(call) => call.run(release::run).await,
        Command::Holds(call) => call.run(holds::run).await,
        Command::Incidents(call) => call.run(incidents::run).await,
        Command::Webhooks(call) => call.run(webhooks::run).await,
        Command::Journal(call) => call.run(journal::run).await,
        Command::Status(call) => call.run(status::run).await,
        Command::Run(call) => call.run(runs::run).await,
        Command::Runs(call) => call.run(runs::list).await,
        Command::Sources(call) => call.run(sources::run).await,
        Command::Audit(call) => call.run(audit::run).await,
        Command::Diagnose(call) => call.run(diagnose::run).await,
    }
}
