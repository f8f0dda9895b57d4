//! The commands.

use std::process::ExitCode;

use crate::output::print_error;
use crate::{client, codes, demo, explain, parse, profile, sample, token, up};
use clap::{Parser, Subcommand};
use echeck_service::privacy;

/// Applies eCheck (ACH) returns to the databases that must have them, each exactly once.
#[derive(Debug, Parser)]
#[command(name = "echeck", version, arg_required_else_help = true)]
struct EcheckArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a small world, import an acquirer's files, and show the outcome of each return.
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
    /// Create a return file, or the databases that it is about, from a seed.
    #[command(
        after_help = "Examples:\n  echeck sample nacha --entries 200000 --out returns.ach\n  \
        echeck sample world --payments 1000 --out data/world"
    )]
    Sample(sample::SampleArguments),
    /// Remember how services are reached: address, CA, certificate or token.
    #[command(
        after_help = "Examples:\n  echeck profile save production --server https://returns:50051 \\\n      \
        --ca ca.pem --cert me.pem --key me.key\n  echeck profile use production"
    )]
    Profile(profile::ProfileArguments),
    /// Draw a token for a caller that has no certificate.
    #[command(
        after_help = "Example:\n  echeck token platform_7 --merchants MU7xq --out platform_7.token"
    )]
    Token(token::TokenArguments),
    #[command(flatten)]
    Client(Box<client::ClientCommand>),
}

/// A command line that cannot be understood: `EX_USAGE` of sysexits.h, which no outcome has.
const USAGE: u8 = 64;

/// Runs the command that this process was started with. The exit code says how it ended.
pub async fn run() -> ExitCode {
    privacy::keep_to_owner();
    let arguments = match EcheckArguments::try_parse() {
        Ok(arguments) => arguments,
        Err(help_or_error) => {
            // When the terminal is gone, nobody can be notified.
            let _ = help_or_error.print();
            return ExitCode::from(if help_or_error.use_stderr() { USAGE } else { 0 });
        }
    };
    match arguments.command {
        Command::Demo(arguments) => exit(demo::run(&arguments).await.map(|()| 0)),
        Command::Up(arguments) => exit(up::run(&arguments).await.map(|()| 0)),
        Command::Parse(arguments) => exit(parse::run(&arguments)),
        Command::Codes(arguments) => exit(codes::run(&arguments)),
        Command::Explain(arguments) => exit(explain::run(&arguments)),
        Command::Sample(arguments) => exit(sample::run(&arguments).await),
        Command::Profile(arguments) => exit(profile::run(arguments).map(|()| 0)),
        Command::Token(arguments) => exit(token::run(&arguments).map(|()| 0)),
        Command::Client(command) => client::run(*command).await,
    }
}

fn exit(outcome: anyhow::Result<u8>) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
