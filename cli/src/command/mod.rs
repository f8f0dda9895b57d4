//! The commands.

mod help;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use echeck_service::privacy;

use crate::exit;
use crate::failure::Failure;
use crate::{
    adapter_init, client, codes, demo, explain, manual, parse, profile, sample, token, up,
};

/// Applies eCheck (ACH) returns to the databases that must have them, each exactly once.
#[derive(Debug, Parser)]
#[command(
    name = "echeck",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct EcheckArguments {
    /// Print JSON, one object per line; errors too.
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a small world, import three files, and show the outcome.
    #[command(after_help = "Example:\n  echeck demo")]
    Demo(demo::DemoArguments),
    /// Run the whole stack in one process, on SQLite.
    #[command(after_help = "Examples:\n  echeck up\n  echeck up --data data/demo --port 6000")]
    Up(up::UpArguments),
    /// Show what a file says, without any database.
    #[command(after_help = "Examples:\n  echeck parse returns.ach --json\n  \
        echeck parse report.csv --profile worldpay-echeck-return\n\n\
        Exit codes: 0 accepted, 2 accepted with unreadable lines, 3 file rejected, 1 it cannot be read")]
    Parse(parse::ParseArguments),
    /// Show the tables of return and correction codes.
    #[command(after_help = "Examples:\n  echeck codes\n  echeck codes R01 --json")]
    Codes(codes::CodesArguments),
    /// Print the runbook of an incident's cause.
    #[command(after_help = "Examples:\n  echeck explain KEY_REFUSED\n  echeck explain")]
    Explain(explain::ExplainArguments),
    /// Create a return file, or its databases, from a seed.
    #[command(
        after_help = "Examples:\n  echeck sample nacha --entries 200000 --out returns.ach\n  \
        echeck sample world --payments 1000 --out data/world"
    )]
    Sample(sample::SampleArguments),
    /// Remember how services are reached: address, certificate, token.
    #[command(
        after_help = "Examples:\n  echeck profile save production --server returns:50051 \\\n      \
        --ca ca.pem --cert me.pem --key me.key\n  echeck profile use production"
    )]
    Profile(profile::ProfileArguments),
    /// Propose the mapping of a database that others made.
    Adapter(adapter_init::AdapterArguments),
    /// Draw a token for a caller that has no certificate.
    #[command(
        after_help = "Example:\n  echeck token platform_7 --merchants MU7xq --out platform_7.token"
    )]
    Token(token::TokenArguments),
    /// Print what completes command lines in a shell.
    #[command(
        after_help = "Example, for bash:\n  echeck completions bash > ~/.local/share/bash-completion/completions/echeck"
    )]
    Completions(manual::CompletionArguments),
    /// Write man pages into a folder.
    #[command(after_help = "Example:\n  echeck man ~/.local/share/man/man1")]
    Man(manual::ManArguments),
    #[command(flatten)]
    Client(Box<client::ClientCommand>),
}

/// The command line: what it accepts, and its help.
pub(crate) fn command_line() -> clap::Command {
    help::grouped(EcheckArguments::command())
}

/// Runs the command that this process was started with. The exit code says how it ended.
pub async fn run() -> ExitCode {
    privacy::keep_to_owner();
    let read = |matches: ArgMatches| EcheckArguments::from_arg_matches(&matches);
    match command_line().try_get_matches().and_then(read) {
        Ok(arguments) => {
            let json = arguments.json;
            let outcome = arguments.command.run(json).await;
            ExitCode::from(outcome.unwrap_or_else(|failure| failure.print(json)))
        }
        Err(help_or_error) => ExitCode::from(refuse(&help_or_error)),
    }
}

/// Shows help, or says what is wrong with the command line. Returns the exit code.
fn refuse(help_or_error: &clap::Error) -> u8 {
    let is_error = help_or_error.use_stderr();
    // Nothing was parsed, so the arguments themselves say whether a program reads them.
    if is_error && std::env::args().any(|argument| argument == "--json") {
        let text = help_or_error.render().to_string();
        let why = text.lines().next().unwrap_or_default();
        return Failure::Usage(why.trim_start_matches("error: ").to_owned()).print(true);
    }
    // When the terminal is gone, nobody can be notified.
    let _ = help_or_error.print();
    if is_error { exit::USAGE } else { exit::OK }
}

impl Command {
    async fn run(self, json: bool) -> Result<u8, Failure> {
        match self {
            Self::Demo(arguments) => demo::run(&arguments, json).await,
            Self::Up(arguments) => Ok(up::run(&arguments, json).await?),
            Self::Parse(arguments) => Ok(parse::run(&arguments, json)?),
            Self::Codes(arguments) => Ok(codes::run(&arguments, json)?),
            Self::Explain(arguments) => Ok(explain::run(&arguments, json)?),
            Self::Sample(arguments) => Ok(sample::run(&arguments, json).await?),
            Self::Profile(arguments) => Ok(profile::run(arguments, json)?),
            Self::Adapter(arguments) => Ok(adapter_init::run(arguments, json).await?),
            Self::Token(arguments) => Ok(token::run(&arguments, json)?),
            Self::Completions(arguments) => Ok(manual::completions(&arguments, json)?),
            Self::Man(arguments) => Ok(manual::pages(&arguments, json)?),
            Self::Client(command) => client::run(*command, json).await,
        }
    }
}
