//! The acquirer at work, and whoever asks for runs: files land at random, some of them twice
//! under two names, and runs are asked for while others go on, of either copy of the service.

use std::time::Duration;

use anyhow::{Context as _, Result};
use echeck_proto::returns::v1 as proto;
use proto::operations_service_client::OperationsServiceClient;
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::rig::{Landed, Outbox, Rig, trust};
use crate::world::ReturnFile;

/// The longest that the acquirer takes to write a file, in milliseconds.
const LONGEST_WRITE_MS: u64 = 60;

/// The longest pause between two runs that are asked for, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 400;

/// How long to wait before a run is asked for again.
const RETRY: Duration = Duration::from_millis(30);

/// Lands a file under a name, until the disk takes it.
pub(super) async fn land(outbox: &Outbox, file: &ReturnFile, name: String, draws: &mut StdRng) {
    let landed = Landed {
        name,
        index: file.index,
        sha256: file.sha256.clone(),
    };
    let pause = Duration::from_millis(draws.random_range(0..LONGEST_WRITE_MS));
    while outbox
        .land(landed.clone(), &file.bytes, pause)
        .await
        .is_err()
    {
        tokio::time::sleep(RETRY).await;
    }
}

/// How many files wait at the acquirer.
pub(super) fn waiting(rig: &Rig) -> usize {
    rig.outboxes
        .iter()
        .map(|outbox| outbox.waiting().map_or(0, |names| names.len()))
        .sum()
}

/// Asks one copy for a run of one source now and then. Whether it answers is its business.
pub(super) async fn ask_now_and_then(rig: &Rig, draws: &mut StdRng) {
    let pause = draws.random_range(0..LONGEST_PAUSE_MS);
    tokio::time::sleep(Duration::from_millis(pause)).await;
    let outbox = &rig.outboxes[draws.random_range(0..rig.outboxes.len())];
    let url = &rig.urls[draws.random_range(0..rig.urls.len())];
    // What it does not do now is asked for again.
    let _ = run_job(url, outbox.source).await;
}

/// Asks until a run has begun after the last file landed, for each source that has files left.
/// What becomes of that run is the service's own business.
pub(super) async fn ask_for_the_rest(rig: &Rig) {
    for outbox in &rig.outboxes {
        for url in rig.urls.iter().cycle() {
            if outbox.waiting().is_ok_and(|names| names.is_empty()) {
                break;
            }
            match run_job(url, outbox.source).await {
                Ok(joined) if !joined => break,
                Ok(_) | Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

/// One attempt to run a source; gives whether a run went on already.
async fn run_job(url: &str, source: &str) -> Result<bool> {
    let request = proto::RunJobRequest {
        source: source.to_owned(),
        request_id: String::new(),
        wait: false,
    };
    let mut client = OperationsServiceClient::new(trust::connect(url).await?);
    let answer = client.run_job(request).await?.into_inner();
    answer.run.context("the answer has no run")?;
    Ok(answer.joined)
}
