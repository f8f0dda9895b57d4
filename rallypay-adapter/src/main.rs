//! `rallypay-adapter --config FILE`: serves the adapter in front of the RallyPay Rails app.

use std::process::ExitCode;

use clap::Parser;
use echeck_adapter::command::{self, AdapterArgs};

/// Applies eCheck returns to the RallyPay transactions, each exactly once.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    args: AdapterArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    command::main(Cli::parse().args, rallypay_adapter::read_config).await
}
