//! The `echeck` command: everything in one process for a laptop, and the operator's tool.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    echeck::run().await
}
