//! `gateway-adapter --config FILE`: serves the adapter in front of the core gateway.

use std::process::ExitCode;

use clap::Parser;
use echeck_adapter::command::{self, AdapterArgs};

/// Applies eCheck returns to the core gateway's transfers, each exactly once.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    args: AdapterArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    command::main(Cli::parse().args, gateway_adapter::read_config).await
}
