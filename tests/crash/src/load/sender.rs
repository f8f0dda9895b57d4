//! Sends file after file: some to whichever copy of the returns service answers, as a caller
//! would, until it is acknowledged; others to the acquirer's folders. Never are too many
//! imports open at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use echeck_proto::returns::v1 as proto;
use proto::import_file_request::Part;
use proto::returns_service_client::ReturnsServiceClient;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::{acquirer, owner};
use crate::rig::{Rig, trust};
use crate::seed::{Purpose, draws};
use crate::world::ReturnFile;

/// Senders at work side by side.
const LANES: usize = 2;

/// Imports that may be open before the next file is sent.
const MOST_OPEN: u64 = 3;

/// Files that may wait at the acquirer before the next one lands.
const MOST_WAITING: usize = 4;

/// The source of the files that are sent by a call.
const CALLED: &str = "bank";

/// How many payments a file is the first to name.
pub(super) const ENTRIES: std::ops::Range<u32> = 30..140;

/// How a file comes to the returns service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a call of ImportFile.
    Called,
    /// By the acquirer's folder of this number.
    Landed(usize),
}

impl Way {
    /// Half of the files are sent by a call.
    fn draw(draws: &mut StdRng, folders: usize) -> Self {
        if draws.random_ratio(1, 2) {
            Self::Called
        } else {
            Self::Landed(draws.random_range(0..folders))
        }
    }
}

/// The load on a rig.
pub struct Load {
    rig: Arc<Rig>,
    seed: u64,
    round: u64,
    /// The way of every file, where it is not drawn.
    way: Option<Way>,
    stop: AtomicBool,
    /// How each file came, by the file's number.
    ways: Mutex<HashMap<u64, Way>>,
    /// The import that each file became, by the file's number, where a call was answered.
    imports: Mutex<HashMap<u64, String>>,
    /// What the service answered that it must not.
    violations: Mutex<Vec<String>>,
    /// Files sent a second time.
    resent: AtomicU64,
    owners: Mutex<Vec<JoinHandle<()>>>,
}

impl Load {
    /// A load that is not at work yet. Without a `way` each file's is drawn.
    #[must_use]
    pub fn new(rig: Arc<Rig>, seed: u64, round: u64, way: Option<Way>) -> Arc<Self> {
        Arc::new(Self {
            rig,
            seed,
            round,
            way,
            stop: AtomicBool::new(false),
            ways: Mutex::default(),
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
        let asking = self.clone();
        let asking = tokio::spawn(async move {
            let mut draws = draws(asking.seed, asking.round, Purpose::Asking);
            while !asking.stop.load(Ordering::SeqCst) {
                acquirer::ask_now_and_then(&asking.rig, &mut draws).await;
            }
        });
        (0..LANES)
            .map(|_| {
                let load = self.clone();
                tokio::spawn(async move {
                    while !load.stop.load(Ordering::SeqCst) {
                        if load.has_room().await {
                            load.send_next(ENTRIES).await;
                        } else {
                            tokio::time::sleep(Duration::from_millis(15)).await;
                        }
                    }
                })
            })
            .chain(std::iter::once(asking))
            .collect()
    }

    /// Sends no further files, and waits until those under way are acknowledged, a run has begun
    /// that sees all that landed, and the owner has done what it does.
    ///
    /// # Errors
    /// When that does not come in time.
    pub async fn stop(&self, lanes: Vec<JoinHandle<()>>, patience: Duration) -> Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        let owners = std::mem::take(&mut *lock(&self.owners));
        let all = async {
            for task in lanes {
                task.await?;
            }
            acquirer::ask_for_the_rest(&self.rig).await;
            let late = std::mem::take(&mut *lock(&self.owners));
            for task in owners.into_iter().chain(late) {
                task.await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(patience, all).await.with_context(|| {
            format!("a file was not acknowledged, or no run begun, within {patience:?}")
        })?
    }

    async fn has_room(&self) -> bool {
        let sql = "SELECT COUNT(*) FROM imports WHERE phase <> 'applied' AND phase <> 'rejected'";
        // A database that is down just now is busy enough.
        let open = self.rig.returns.number(sql).await.unwrap_or(MOST_OPEN);
        open < MOST_OPEN && acquirer::waiting(&self.rig) < MOST_WAITING
    }

    /// Sends the next file by whichever way is drawn, and sometimes an earlier one again.
    pub async fn send_next(self: &Arc<Self>, entries: std::ops::Range<u32>) {
        self.send(entries, None).await;
    }

    /// Sends the next file by this way, and sometimes an earlier one again.
    pub async fn send_by(self: &Arc<Self>, way: Way, entries: std::ops::Range<u32>) {
        self.send(entries, Some(way)).await;
    }

    async fn send(self: &Arc<Self>, entries: std::ops::Range<u32>, way: Option<Way>) {
        let file = self.rig.world.next_file(entries);
        owner::record(&self.rig, &file).await;
        let acting = owner::act(self.rig.clone(), file.clone(), self.seed, self.round);
        let acting = tokio::spawn(acting);
        lock(&self.owners).push(acting);
        let mut draws = draws(self.seed, self.round, Purpose::Sending(file.index));
        let drawn = Way::draw(&mut draws, self.rig.outboxes.len());
        let way = way.or(self.way).unwrap_or(drawn);
        lock(&self.ways).insert(file.index, way);
        match way {
            Way::Called => self.call(&file, way, &mut draws).await,
            Way::Landed(folder) => {
                let outbox = &self.rig.outboxes[folder];
                acquirer::land(outbox, &file, file.name.clone(), &mut draws).await;
            }
        }
        self.perhaps_again(&file, &mut draws).await;
    }

    /// Sends one of the files just before this one again: by a call, whichever way it came, or
    /// under another name at the acquirer.
    async fn perhaps_again(&self, file: &ReturnFile, draws: &mut StdRng) {
        if file.index > 0 && draws.random_ratio(1, 6) {
            let earlier = draws.random_range(file.index.saturating_sub(4)..file.index);
            let files = self.rig.world.files();
            let way = lock(&self.ways).get(&earlier).copied();
            let again = files.iter().find(|other| other.index == earlier);
            if let (Some(again), Some(way)) = (again, way) {
                self.resent.fetch_add(1, Ordering::Relaxed);
                let lands = draws.random_ratio(2, 3);
                match way {
                    Way::Landed(folder) if lands => {
                        let name = format!("again-{}-{}", file.index, again.name);
                        acquirer::land(&self.rig.outboxes[folder], again, name, draws).await;
                    }
                    Way::Called | Way::Landed(_) => self.call(again, way, draws).await,
                }
            }
        }
    }

    /// The source that a file belongs to.
    #[must_use]
    pub fn source(&self, way: Way) -> &'static str {
        match way {
            Way::Called => CALLED,
            Way::Landed(folder) => self.rig.outboxes[folder].source,
        }
    }

    /// Sends a file until one of the copies has acknowledged it.
    async fn call(&self, file: &ReturnFile, way: Way, draws: &mut StdRng) {
        let mut copy = draws.random_range(0..self.rig.urls.len());
        loop {
            let url = &self.rig.urls[copy % self.rig.urls.len()];
            match import(url, file, self.source(way)).await {
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

    /// How each file came, by its number.
    #[must_use]
    pub fn ways(&self) -> HashMap<u64, Way> {
        lock(&self.ways).clone()
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
    Ok(ReturnsServiceClient::new(trust::connect(url).await?))
}

/// One attempt to import a file; gives the import's id.
async fn import(url: &str, file: &ReturnFile, source: &str) -> Result<String> {
    let header = proto::ImportFileHeader {
        source: source.to_owned(),
        file_name: file.name.clone(),
        wait: proto::WaitLevel::Unspecified.into(),
        ..proto::ImportFileHeader::default()
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
    let import = answer.into_inner().file_import;
    Ok(import.context("the answer has no import")?.import_id)
}
