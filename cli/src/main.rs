//! The `echeck` command: everything in one process for a laptop, and the operator's tool.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use echeck::client;

/// Applies eCheck (ACH) returns to the databases that must know of them, each exactly once.
#[derive(Debug, Parser)]
#[command(name = "echeck", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Client(client::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Client(command) => client::run(command).await,
    }
}
