//! The `echeck` command: everything in one process for a laptop, and the operator's tool.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use echeck::output::print_error;
use echeck::{client, up};

/// Applies eCheck (ACH) returns to the databases that must know of them, each exactly once.
#[derive(Debug, Parser)]
#[command(name = "echeck", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole stack in one process, on SQLite.
    #[command(after_help = "Examples:\n  echeck up\n  echeck up --data data/demo --port 6000")]
    Up(up::UpArguments),
    #[command(flatten)]
    Client(client::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Up(arguments) => done(up::run(&arguments).await),
        Command::Client(command) => client::run(command).await,
    }
}

fn done(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
