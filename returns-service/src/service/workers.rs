//! What works beside the API. A worker never ends before the shutdown: one that does, because it
//! panicked, ends the process. Nobody knows what state it left behind; a new process reads all of
//! that from the databases, and what runs the service (systemd, Kubernetes, a shell) starts it
//! again. Until the process has ended, its health says so.

use std::sync::{Arc, OnceLock};

use echeck_service::background;
use returns_store::Job;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::base::Base;

/// The workers, and which of them failed.
pub(super) struct Workers {
    tasks: JoinSet<()>,
    names: Vec<(tokio::task::Id, String)>,
    failed: Failed,
}

/// The worker that ended before the shutdown, once one has.
#[derive(Clone, Default)]
pub(super) struct Failed(Arc<OnceLock<String>>);

impl Failed {
    /// What failed, in one sentence.
    pub(super) fn why(&self) -> Option<String> {
        self.0.get().cloned()
    }
}

impl Workers {
    pub(super) fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            names: Vec::new(),
            failed: Failed::default(),
        }
    }

    pub(super) fn spawn(
        &mut self,
        name: impl Into<String>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let handle = self.tasks.spawn_on(work, &background::handle());
        self.names.push((handle.id(), name.into()));
    }

    /// Starts work that one replica does at a time.
    pub(super) fn job(&mut self, job: impl Job, base: &Base, stop: &CancellationToken) {
        let name = job.lease();
        let (replica, notifier) = (base.replica.clone(), base.notifier.clone());
        self.spawn(
            name,
            returns_store::run(job, replica, notifier, stop.clone()),
        );
    }

    pub(super) fn failed(&self) -> Failed {
        self.failed.clone()
    }

    /// Waits until every worker has ended. The first that ends before `stop` stops the others.
    pub(super) async fn supervise(mut self, stop: CancellationToken) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let (id, how) = match ended {
                Ok((id, ())) => (id, "ended"),
                Err(error) => (error.id(), "panicked"),
            };
            if stop.is_cancelled() {
                continue;
            }
            let name = self.names.iter().find(|(known, _)| *known == id);
            let name = name.map_or("unknown", |(_, name)| name.as_str());
            let why = format!("the worker of the {name} {how}");
            tracing::error!(why, "the service stops: start it again");
            // Only the first one is the reason.
            let _ = self.failed.0.set(why);
            stop.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_panics_stops_the_others_and_is_named() {
        let mut workers = Workers::new();
        let stop = CancellationToken::new();
        let failed = workers.failed();
        workers.spawn("imports", stop.clone().cancelled_owned());
        workers.spawn("feed of the gateway", async { panic!("a bug") });
        workers.supervise(stop.clone()).await;
        assert!(stop.is_cancelled());
        let why = failed.why().unwrap();
        assert_eq!(why, "the worker of the feed of the gateway panicked");
    }

    #[tokio::test]
    async fn workers_that_end_with_the_shutdown_are_no_failure() {
        let mut workers = Workers::new();
        let stop = CancellationToken::new();
        let failed = workers.failed();
        workers.spawn("imports", stop.clone().cancelled_owned());
        stop.cancel();
        workers.supervise(stop).await;
        assert_eq!(failed.why(), None);
    }
}
