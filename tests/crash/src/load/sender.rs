//! Sends file after file to whichever copy of the returns service answers, as a caller would:
//! until it is acknowledged, with never too many imports open at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use echeck_proto::returns::v1 as proto;
use proto::import_file_request::Part;
use proto::returns_service_client::ReturnsServiceClient;
use rand::RngExt as _;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use super::owner;
use crate::rig::Rig;
use crate::seed::{Purpose, draws};
use crate::world::ReturnFile;

/// Senders at work side by side.
const LANES: usize = 2;

/// Imports that may be open before the next file is sent.
const MOST_OPEN: u64 = 3;

/// How many payments a file is the first to name.
pub(super) const ENTRIES: std::ops::Range<u32> = 30..140;

/// The load on a rig.
pub struct Load {
    rig: Arc<Rig>,
    seed: u64,
    round: u64,
    stop: AtomicBool,
    /// The import that each file became, by the file's number.
    imports: Mutex<HashMap<u64, String>>,
    /// What the service answered that it must not.
    violations: Mutex<Vec<String>>,
    /// Files sent a second time.
    resent: AtomicU64,
    owners: Mutex<Vec<JoinHandle<()>>>,
}

impl Load {
    /// A load that is not at work yet.
    #[must_use]
    pub fn new(rig: Arc<Rig>, seed: u64, round: u64) -> Arc<Self> {
        Arc::new(Self {
            rig,
            seed,
            round,
            stop: AtomicBool::new(false),
            imports: Mutex::default(),
            violations: Mutex::default(),
            resent: AtomicU64::new(0),
            owners: Mutex::default(),
        })
    }

    /// Sends files until [`Self::stop`]; the handles end then.
    #[must_use]
    pub fn start(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        self.stop.store(false, Ordering::SeqCst);
        (0..LANES)
            .map(|_| {
                let load = self.clone();
                tokio::spawn(async move {
                    while !load.stop.load(Ordering::SeqCst) {
                        if load.open_imports().await < MOST_OPEN {
                            load.send_next(ENTRIES).await;
                        } else {
                            tokio::time::sleep(Duration::from_millis(15)).await;
                        }
                    }
                })
            })
            .collect()
    }

    /// Sends no further files, and waits until those under way are acknowledged and the owner
    /// has done what it does.
    ///
    /// # Errors
    /// When a file is not acknowledged in time.
    pub async fn stop(&self, lanes: Vec<JoinHandle<()>>, patience: Duration) -> Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        let owners = std::mem::take(&mut *lock(&self.owners));
        let all = async {
            for task in lanes {
                task.await?;
            }
            let late = std::mem::take(&mut *lock(&self.owners));
            for task in owners.into_iter().chain(late) {
                task.await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(patience, all)
            .await
            .with_context(|| format!("a file was not acknowledged within {patience:?}"))?
    }

    async fn open_imports(&self) -> u64 {
        let sql = "SELECT COUNT(*) FROM imports WHERE phase <> 'applied' AND phase <> 'rejected'";
        // A database that is down just now is busy enough.
        self.rig.returns.number(sql).await.unwrap_or(MOST_OPEN)
    }

    /// Records the next file's payments, sends the file, and sometimes an earlier one again.
    pub async fn send_next(self: &Arc<Self>, entries: std::ops::Range<u32>) {
        let file = self.rig.world.next_file(entries);
        owner::record(&self.rig, &file).await;
        let acting = owner::act(self.rig.clone(), file.clone(), self.seed, self.round);
        let acting = tokio::spawn(acting);
        lock(&self.owners).push(acting);
        let mut draws = draws(self.seed, self.round, Purpose::Sending(file.index));
        let first_copy = draws.random_range(0..self.rig.urls.len());
        self.send(&file, first_copy).await;
        if file.index > 0 && draws.random_ratio(1, 6) {
            let earlier = draws.random_range(file.index.saturating_sub(4)..file.index);
            let files = self.rig.world.files();
            if let Some(again) = files.iter().find(|other| other.index == earlier) {
                self.resent.fetch_add(1, Ordering::Relaxed);
                self.send(again, draws.random_range(0..self.rig.urls.len()))
                    .await;
            }
        }
    }

    /// Sends a file until one of the copies has acknowledged it.
    async fn send(&self, file: &ReturnFile, first_copy: usize) {
        let mut copy = first_copy;
        loop {
            let url = &self.rig.urls[copy % self.rig.urls.len()];
            match import(url, file).await {
                Ok(import_id) => {
                    self.acknowledged(file, &import_id);
                    return;
                }
                Err(_) => {
                    copy += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn acknowledged(&self, file: &ReturnFile, import_id: &str) {
        let mut imports = lock(&self.imports);
        let first = imports
            .entry(file.index)
            .or_insert_with(|| import_id.to_owned());
        if *first != import_id {
            lock(&self.violations).push(format!(
                "file {} became import {first}, and sent again {import_id}",
                file.name
            ));
        }
    }

    /// The import that each acknowledged file became.
    #[must_use]
    pub fn imports(&self) -> HashMap<u64, String> {
        lock(&self.imports).clone()
    }

    /// What the service answered that it must not.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        lock(&self.violations).clone()
    }

    /// How many files were sent a second time.
    #[must_use]
    pub fn resent(&self) -> u64 {
        self.resent.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connect(url: &str) -> Result<ReturnsServiceClient<Channel>> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .connect_timeout(Duration::from_millis(500))
        .timeout(Duration::from_secs(5));
    Ok(ReturnsServiceClient::new(endpoint.connect().await?))
}

/// One attempt to import a file; gives the import's id.
async fn import(url: &str, file: &ReturnFile) -> Result<String> {
    let header = proto::ImportFileHeader {
        source: "bank".to_owned(),
        file_name: file.name.clone(),
        wait: proto::WaitLevel::Unspecified.into(),
        dry_run: false,
    };
    let chunks = file
        .bytes
        .chunks(8 << 10)
        .map(|chunk| Part::Chunk(chunk.to_vec()));
    let parts: Vec<proto::ImportFileRequest> = std::iter::once(Part::Header(header))
        .chain(chunks)
        .map(|part| proto::ImportFileRequest { part: Some(part) })
        .collect();
    let answer = connect(url)
        .await?
        .import_file(tokio_stream::iter(parts))
        .await?;
    let import = answer.into_inner().import;
    Ok(import.context("the answer has no import")?.import_id)
}
