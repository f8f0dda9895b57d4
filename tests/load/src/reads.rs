//! Callers that read transfers, each its next one as soon as it has the last.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use echeck_proto::returns::v1 as proto;
use echeck_service::tls::Connection;
use proto::returns_service_client::ReturnsServiceClient;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;

use crate::TlsFiles;

/// Callers that share a connection.
const CALLERS_OF_A_CONNECTION: usize = 16;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The service's address.
    #[arg(long)]
    server: String,
    #[command(flatten)]
    tls: TlsFiles,
    /// A file with a transfer's id on each line.
    #[arg(long)]
    ids: PathBuf,
    /// How many callers there are.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// For how many seconds they call.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many transfers each asks for in one call; more than one with BatchGetTransfers.
    #[arg(long, default_value_t = 1)]
    batch: usize,
}

/// One caller.
struct Caller {
    client: ReturnsServiceClient<Channel>,
    ids: Arc<[String]>,
    batch: usize,
    /// The place of the next id. Callers begin at different places, and step over one another.
    next: usize,
    step: usize,
}

impl Caller {
    fn id(&mut self) -> String {
        let id = self.ids[self.next % self.ids.len()].clone();
        self.next += self.step;
        id
    }

    async fn call(&mut self) -> Result<(), Status> {
        if self.batch == 1 {
            let key = proto::get_transfer_request::Key::TransferId(self.id());
            let ask = proto::GetTransferRequest {
                key: Some(key),
                ..Default::default()
            };
            return self.client.get_transfer(ask).await.map(drop);
        }
        let selectors = (0..self.batch).map(|_| proto::TransferSelector {
            key: Some(proto::transfer_selector::Key::TransferId(self.id())),
        });
        let ask = proto::BatchGetTransfersRequest {
            selectors: selectors.collect(),
            ..Default::default()
        };
        self.client.batch_get_transfers(ask).await.map(drop)
    }

    /// Calls until a moment, and gives how long each answer took.
    async fn call_until(mut self, end: Instant) -> Result<Vec<Duration>> {
        let mut took = Vec::new();
        while Instant::now() < end {
            let began = Instant::now();
            self.call().await.context("a call failed")?;
            took.push(began.elapsed());
        }
        Ok(took)
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let ids = std::fs::read_to_string(&arguments.ids).context("the ids cannot be read")?;
    let ids: Arc<[String]> = ids.lines().map(str::to_owned).collect();
    if ids.is_empty() || arguments.batch == 0 {
        bail!("there is nothing to ask for");
    }
    let tls = arguments.tls.client()?;
    let connection = Connection::new(&arguments.server, Some(&tls)).map_err(anyhow::Error::msg)?;
    let mut channels = Vec::new();
    for _ in 0..arguments.callers.div_ceil(CALLERS_OF_A_CONNECTION) {
        channels.push(connection.connect().await.map_err(anyhow::Error::msg)?);
    }
    let began = Instant::now();
    let end = began + Duration::from_secs(arguments.seconds);
    let mut callers = JoinSet::new();
    for number in 0..arguments.callers {
        let channel = channels[number % channels.len()].clone();
        let caller = Caller {
            client: ReturnsServiceClient::new(channel),
            ids: Arc::clone(&ids),
            batch: arguments.batch,
            next: number * 7_919,
            step: 104_729,
        };
        callers.spawn(caller.call_until(end));
    }
    let mut took = Vec::new();
    while let Some(done) = callers.join_next().await {
        took.extend(done??);
    }
    let seconds = began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "the place of a percentile in a list"
        )]
        let place = ((took.len() - 1) as f64 * part) as usize;
        took[place].as_secs_f64() * 1_000.0
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let calls = took.len() as f64;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let batch = arguments.batch as f64;
    let figures = serde_json::json!({
        "calls_per_second": calls / seconds,
        "transfers_per_second": calls * batch / seconds,
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
    });
    writeln!(std::io::stdout(), "{figures}")?;
    Ok(())
}
