//! The operator's commands. Each is one call of the returns service, shown as a table or as
//! JSON, and stands in a file of its own with its arguments.

mod adapter_test;
mod arguments;
mod audit;
mod connect;
mod diagnose;
mod dishonorable;
mod follow;
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
mod watch;
mod webhooks;

use clap::{Args, Subcommand};

use crate::failure::Failure;
use connect::Client;
pub(crate) use json::short as short_name;
pub(crate) use profile::{Profiles, Reach};

/// How a command reaches the service.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
struct Common {
    #[command(flatten)]
    reach: Reach,
    /// The saved profile to use; see `echeck profile`.
    #[arg(long, global = true, env = "ECHECK_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// How long to wait for an answer, in seconds.
    #[arg(long, global = true, default_value_t = 600)]
    timeout_s: u64,
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
    async fn run(
        self,
        json: bool,
        run: impl AsyncFnOnce(T, &Client) -> Result<u8, Failure>,
    ) -> Result<u8, Failure> {
        let service = Client::connect(&self.common, json).await?;
        let done = run(self.arguments, &service).await;
        done.map_err(|failure| service.explained(failure))
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
    /// List imports; show one and what it waits for; retry one.
    Imports(Call<imports::ListImportsArguments>),
    /// Save the CSV report of an import.
    Report(Call<report::ReportArguments>),
    /// Show a transfer with its return.
    Transfer(Call<transfer::TransferArguments>),
    /// List returns and corrections.
    Returns(Call<returns::ReturnArguments>),
    /// Print each new return as it is decided.
    Follow(Call<follow::FollowArguments>),
    /// List returns that our bank may dishonor, the most urgent first.
    Dishonorable(Call<dishonorable::DishonorableArguments>),
    /// Let a reversal or a restoration join a settlement.
    Release(Call<release::ReleaseArguments>),
    /// List entries that wait for a person; show, retry or dismiss one.
    Holds(Call<holds::HoldArguments>),
    /// List incidents; show, acknowledge or close one; test alerts.
    Incidents(Call<incidents::IncidentArguments>),
    /// Manage endpoints of platforms; list what was sent to them.
    Webhooks(Call<webhooks::WebhookArguments>),
    /// Verify the journal, show its rows, skip a row, or adopt a cursor.
    Journal(Call<journal::JournalArguments>),
    /// Watch sources, databases, holds and incidents until Ctrl-C.
    Watch(Call<watch::WatchArguments>),
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
    /// List changes that wait for a second person; decide one.
    Proposals(Call<proposals::ProposalArguments>),
    /// Show or change what the service logs.
    Log(Call<log::LogArguments>),
    /// Check everything that the job needs, and name the likely cause.
    Diagnose(Call<diagnose::DiagnoseArguments>),
    /// Try on an adapter what every adapter promises.
    AdapterTest(Call<adapter_test::AdapterTestArguments>),
}

/// Runs a command. Returns the exit code.
pub(crate) async fn run(command: ClientCommand, json: bool) -> Result<u8, Failure> {
    match command {
        ClientCommand::Import(call) => call.run(json, import::run).await,
        ClientCommand::Imports(call) => call.run(json, imports::run).await,
        ClientCommand::Report(call) => call.run(json, report::run).await,
        ClientCommand::Transfer(call) => call.run(json, transfer::run).await,
        ClientCommand::Returns(call) => call.run(json, returns::run).await,
        ClientCommand::Follow(call) => call.run(json, follow::run).await,
        ClientCommand::Dishonorable(call) => call.run(json, dishonorable::run).await,
        ClientCommand::Release(call) => call.run(json, release::run).await,
        ClientCommand::Holds(call) => call.run(json, holds::run).await,
        ClientCommand::Incidents(call) => call.run(json, incidents::run).await,
        ClientCommand::Webhooks(call) => call.run(json, webhooks::run).await,
        ClientCommand::Journal(call) => call.run(json, journal::run).await,
        ClientCommand::Watch(call) => call.run(json, watch::run).await,
        ClientCommand::Status(call) => call.run(json, status::run).await,
        ClientCommand::Run(call) => call.run(json, runs::run).await,
        ClientCommand::Runs(call) => call.run(json, runs::list).await,
        ClientCommand::Sources(call) => call.run(json, sources::run).await,
        ClientCommand::Audit(call) => call.run(json, audit::run).await,
        ClientCommand::Proposals(call) => call.run(json, proposals::run).await,
        ClientCommand::Log(call) => call.run(json, log::run).await,
        ClientCommand::Diagnose(call) => call.run(json, diagnose::run).await,
        ClientCommand::AdapterTest(mut call) => {
            // It calls an adapter, never the returns service of a profile.
            call.common.reach.server = Some(call.arguments.address.clone());
            call.run(json, adapter_test::run).await
        }
    }
}
