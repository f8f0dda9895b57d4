//! `rallypay-adapter --config FILE`: serves the adapter in front of the RallyPay Rails app.

use std::process::ExitCode;

use echeck_adapter::command;

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Applies eCheck returns to the RallyPay transactions, each exactly once";
    command::main("rallypay-adapter", about, rallypay_adapter::read_config).await
}
