//! What the measurements need beside the product: callers, many at once and timed; a bare service and a
//! bare client to compare with; endpoints of platforms; a long line.

#![expect(clippy::float_arithmetic, reason = "rates and milliseconds, no money")]
#![expect(
    clippy::disallowed_methods,
    reason = "the bare service is as short as a hand-written one"
)]

mod bare;
mod line;
mod post;
mod reads;
mod sink;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use echeck_service::tls::{ClientTls, ClientTlsFiles};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Calls GetTransfer, or BatchGetTransfers, and prints how fast the answers came.
    Reads(reads::Arguments),
    /// Serves GetTransfer from one prepared SELECT, and nothing else: no return, no check of a role.
    Bare(bare::Arguments),
    /// Is the endpoints of platforms: takes messages, and prints how fast they came.
    Sink(sink::Arguments),
    /// Posts messages to endpoints as fast as they are taken.
    Post(post::Arguments),
    /// Is a long line to a server: passes bytes on, each after a delay.
    Line(line::Arguments),
}

/// The certificate authority, and a certificate with its key, in PEM.
#[derive(Args)]
struct TlsFiles {
    #[arg(long)]
    ca: PathBuf,
    #[arg(long)]
    cert: PathBuf,
    #[arg(long)]
    key: PathBuf,
}

impl TlsFiles {
    fn client(&self) -> Result<ClientTls> {
        Ok(ClientTls::new(ClientTlsFiles {
            ca: self.ca.clone(),
            certificate: Some((self.cert.clone(), self.key.clone())),
        })?)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Reads(arguments) => reads::run(arguments).await,
        Command::Bare(arguments) => bare::run(arguments).await,
        Command::Sink(arguments) => sink::run(arguments).await,
        Command::Post(arguments) => post::run(arguments).await,
        Command::Line(arguments) => line::run(arguments).await,
    }
}
