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
mod log;
mod profile;
mod proposals;
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

use connect::{Client, Failure};
pub(crate) use holds::columns as hold_columns;
pub(crate) use profile::{Profiles, Reach};
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
    /// What was asked for does not exist.
    pub(super) const NOT_FOUND: u8 = 4;
    /// The deadline passed.
    pub(super) const DEADLINE: u8 = 5;
    /// The journal is not sound.
    pub(super) const NOT_SOUND: u8 = 6;
    /// Something that the job needs is unavailable.
    pub(super) const UNHEALTHY: u8 = 7;

    /// The command was interrupted: 128 and the number of SIGINT, as shells have it.
    pub(super) const INTERRUPTED: u8 = 130;

    /// Done when everything is well, or else `otherwise`.
    pub(super) fn ok_if(well: bool, otherwise: u8) -> u8 {
        if well { OK } else { otherwise }
    }
}

/// How a command reaches the service, and how it answers.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    reach: Reach,
    /// The saved profile to use; see `echeck profile`.
    #[arg(long, global = true, env = "ECHECK_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for an answer, in seconds.
    #[arg(long, global = true, default_value_t = 600)]
    timeout_s: u64,
}

/// Why something is changed. Who does it is known from the certificate or the token.
#[derive(Debug, Args)]
struct Change {
    /// Why; recorded in the audit log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    request: RequestId,
}

/// A note about what is done.
#[derive(Debug, Args)]
struct Note {
    /// A note; recorded with it.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    request: RequestId,
}

/// What makes a command safe to repeat.
#[derive(Debug, Args)]
struct RequestId {
    /// An id of your own for this request: the same again gets the first answer.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ID")]
    request_id: String,
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
    async fn run(self, run: impl AsyncFnOnce(T, &Client) -> Result<u8, Failure>) -> ExitCode {
        let outcome = match Client::connect(&self.common).await {
            Ok(service) => {
                let done = run(self.arguments, &service).await;
                done.map_err(|failure| service.explained(failure))
            }
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
pub(crate) enum ClientCommand {
    /// Import a return file.
    Import(Call<import::ImportArguments>),
    /// List imports; show one or its unreadable lines, or try a parked one again.
    Imports(Call<imports::ListImportsArguments>),
    /// Save the CSV report of an import.
    Report(Call<report::ReportArguments>),
    /// Show a transfer with its return.
    Transfer(Call<transfer::TransferArguments>),
    /// List returns.
    Returns(Call<returns::ReturnArguments>),
    /// List returns that our bank may dishonor, the most urgent first.
    Dishonorable(Call<dishonorable::DishonorableArguments>),
    /// Release a reversal or a restoration, so that it can join a settlement.
    Release(Call<release::ReleaseArguments>),
    /// List entries that wait for a person; retry or dismiss one.
    Holds(Call<holds::HoldArguments>),
    /// List incidents; show, acknowledge or close one; test the alert channels.
    Incidents(Call<incidents::IncidentArguments>),
    /// Manage the endpoints of platforms, and list what was sent to them.
    Webhooks(Call<webhooks::WebhookArguments>),
    /// Verify the journal, show its rows, skip a row, or adopt a cursor.
    Journal(Call<journal::JournalArguments>),
    /// Show how far the journal and each database are.
    Status(Call<NoArguments>),
    /// Run a source now: fetch its files, import them, report them.
    Run(Call<runs::RunArguments>),
    /// List runs of the daily job.
    Runs(Call<runs::ListRunsArguments>),
    /// List the sources of the daily job; pause, resume or schedule one.
    Sources(Call<sources::SourceArguments>),
    /// Show who changed what, when and why, and who was refused.
    Audit(Call<audit::AuditArguments>),
    /// List changes that wait for a second person; approve or reject one.
    Proposals(Call<proposals::ProposalArguments>),
    /// Show or change what the service logs.
    Log(Call<log::LogArguments>),
    /// Check everything that the job needs, and name the likely cause of what is unavailable.
    Diagnose(Call<diagnose::DiagnoseArguments>),
}

/// Runs a command. The exit code says how it ended.
pub(crate) async fn run(command: ClientCommand) -> ExitCode {
    match command {
        ClientCommand::Import(call) => call.run(import::run).await,
        ClientCommand::Imports(call) => call.run(imports::run).await,
        ClientCommand::Report(call) => call.run(report::run).await,
        ClientCommand::Transfer(call) => call.run(transfer::run).await,
        ClientCommand::Returns(call) => call.run(returns::run).await,
        ClientCommand::Dishonorable(call) => call.run(dishonorable::run).await,
        ClientCommand::Release(call) => call.run(release::run).await,
        ClientCommand::Holds(call) => call.run(holds::run).await,
        ClientCommand::Incidents(call) => call.run(incidents::run).await,
        ClientCommand::Webhooks(call) => call.run(webhooks::run).await,
        ClientCommand::Journal(call) => call.run(journal::run).await,
        ClientCommand::Status(call) => call.run(status::run).await,
        ClientCommand::Run(call) => call.run(runs::run).await,
        ClientCommand::Runs(call) => call.run(runs::list).await,
        ClientCommand::Sources(call) => call.run(sources::run).await,
        ClientCommand::Audit(call) => call.run(audit::run).await,
        ClientCommand::Proposals(call) => call.run(proposals::run).await,
        ClientCommand::Log(call) => call.run(log::run).await,
        ClientCommand::Diagnose(call) => call.run(diagnose::run).await,
    }
}
