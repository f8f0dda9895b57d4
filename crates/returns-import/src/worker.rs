//! The worker: claims imports that are not finished, as many as it has places for, and brings
//! each as far as it can in a task of its own. Replicas share the imports out by their claims.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::IncidentReporter;
use returns_store::{Notifier, Replica, StoreError, Topic};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::batches::BatchError;
use super::check::CheckError;
use super::decide::{DecideError, Decider};
use super::faults::ImportFaults;
use super::parked::Parked;
use super::spool::Spool;

/// What stops an import for now.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Read(#[from] BatchError),
    #[error("the import {import_id} is gone from the returns database")]
    Gone { import_id: String },
    #[error(
        "source {source_name:?} of this import is not configured any more; add [sources.{source_name}] again"
    )]
    NoSource { source_name: String },
    #[error(
        "the file reads differently than when it was checked ({items} items then, {seen} now); \
         was the source's profile changed meanwhile?"
    )]
    ReadsDifferently { items: u64, seen: u64 },
}

/// Works on imports until they end.
pub struct Importer {
    pub decider: Arc<Decider>,
    pub replica: Replica,
    pub spool: Spool,
    pub clock: SharedClock,
    pub notifier: Notifier,
    /// How many entries are decided together.
    pub batch_size: usize,
    /// How many imports this replica works on at once.
    pub concurrent: usize,
    pub incidents: IncidentReporter,
    pub faults: ImportFaults,
}

impl Importer {
    /// Works until `shutdown`: claims open imports while there are places for them, at every
    /// change and by the clock, so that those of a replica that died are taken over.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let running = Arc::new(RunningImports::default());
        let tasks = TaskTracker::new();
        tokio::select! {
            () = self.claim_until(&running, &tasks, &shutdown) => {}
            () = self.renew_claims(&running) => {}
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn claim_until(
        self: &Arc<Self>,
        running: &Arc<RunningImports>,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) {
        let longest = self.replica.beat().min(Duration::from_secs(1));
        let mut parked = Parked::default();
        while !shutdown.is_cancelled() {
            let seen = self.notifier.seen();
            match self.claim(running).await {
                Ok(claimed) => {
                    for import_id in claimed {
                        self.start(import_id, running, tasks, shutdown);
                    }
                }
                Err(error) => {
                    tracing::error!(error = %ErrorChain(&error), "open imports cannot be claimed");
                }
            }
            parked.look(self).await;
            let topics = [Topic::Received, Topic::Import];
            self.notifier.wait(seen, &topics, longest, shutdown).await;
        }
    }

    /// Claims as many imports as there are free places.
    async fn claim(&self, running: &RunningImports) -> Result<Vec<String>, StoreError> {
        let busy = running.ids();
        match u32::try_from(self.concurrent.saturating_sub(busy.len())) {
            Ok(0) | Err(_) => Ok(Vec::new()),
            Ok(free) => {
                let Replica { store, name, lease } = &self.replica;
                store.claim_imports(name, &busy, free, *lease).await
            }
        }
    }

    fn start(
        self: &Arc<Self>,
        import_id: String,
        running: &Arc<RunningImports>,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) {
        let stop = shutdown.child_token();
        let place = RunningImports::enter(running, &import_id, &stop);
        let importer = self.clone();
        tasks.spawn(async move {
            importer.drive(&import_id, &stop).await;
            // Its fault here means nothing once another replica has it.
            importer.faults.set(&import_id, None);
            importer.release(&import_id).await;
            drop(place);
            importer.notifier.import_changed();
        });
    }

    async fn release(&self, import_id: &str) {
        let released = self
            .replica
            .store
            .release_import(import_id, &self.replica.name)
            .await;
        if let Err(error) = released {
            tracing::warn!(import_id, error = %ErrorChain(&error), "the claim expires by itself");
        }
    }

    /// Renews the claims of what is running, and stops what another replica has by now.
    async fn renew_claims(&self, running: &RunningImports) {
        let Replica { store, name, lease } = &self.replica;
        loop {
            tokio::time::sleep(self.replica.beat()).await;
            let busy = running.ids();
            if busy.is_empty() {
                continue;
            }
            match store.renew_claims(name, &busy, *lease).await {
                Ok(held) => {
                    for import_id in busy.iter().filter(|id| !held.contains(id)) {
                        running.stop(import_id);
                    }
                }
                Err(error) => {
                    tracing::error!(error = %ErrorChain(&error), "claims cannot be renewed");
                }
            }
        }
    }
}

/// The imports that this replica works on, each with what stops it.
#[derive(Default)]
struct RunningImports {
    imports: Mutex<HashMap<String, CancellationToken>>,
}

/// An import's place among those that are worked on; free again when it is dropped.
struct RunningImport {
    running: Arc<RunningImports>,
    import_id: String,
}

impl RunningImports {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.imports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(running: &Arc<Self>, import_id: &str, stop: &CancellationToken) -> RunningImport {
        running.lock().insert(import_id.to_owned(), stop.clone());
        RunningImport {
            running: running.clone(),
            import_id: import_id.to_owned(),
        }
    }

    fn ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn stop(&self, import_id: &str) {
        if let Some(stop) = self.lock().get(import_id) {
            stop.cancel();
        }
    }
}

impl Drop for RunningImport {
    fn drop(&mut self) {
        self.running.lock().remove(&self.import_id);
    }
}

#[cfg(test)]
mod tests;
