//! `gateway-adapter --config FILE`: serves the adapter in front of the core gateway.

use std::process::ExitCode;

use echeck_adapter::command;

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Applies eCheck returns to the core gateway's transfers, each exactly once";
    command::main("gateway-adapter", about, gateway_adapter::read_config).await
}
