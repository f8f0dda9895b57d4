//! One replica among those that share a returns database. What only one of them needs to do,
//! such as feeding a database, is done by whoever holds its lease. A lease only saves work: a
//! replica that was paused may believe in one that has run out. What keeps two replicas from
//! doing something twice is compare-and-set in the databases.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chain::Chain;
use crate::store::{Store, StoreError};

/// A replica.
#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) store: Arc<dyn Store>,
    /// No two replicas have the same.
    pub(crate) name: Arc<str>,
    /// How long a lease or a claim holds without being renewed.
    pub(crate) lease: Duration,
}

/// A lease that this replica holds, as far as it knows.
pub(crate) struct Lease {
    replica: Replica,
    name: String,
    /// Until then nobody else can have it, by a clock that nobody sets.
    sure_until: Mutex<Instant>,
}

impl Replica {
    /// How often leases and claims are renewed, and looked for.
    pub(crate) fn beat(&self) -> Duration {
        self.lease / 3
    }

    /// Waits until this replica has the lease; `None` at the shutdown.
    pub(crate) async fn acquire(&self, name: &str, shutdown: &CancellationToken) -> Option<Lease> {
        let mut told = false;
        while !shutdown.is_cancelled() {
            let asked = Instant::now();
            match self.store.take_lease(name, &self.name, self.lease).await {
                Ok(true) => {
                    tracing::info!(lease = name, replica = %self.name, "lease taken");
                    return Some(Lease {
                        replica: self.clone(),
                        name: name.to_owned(),
                        sure_until: Mutex::new(asked + self.lease),
                    });
                }
                Ok(false) if !told => {
                    tracing::info!(lease = name, replica = %self.name, "another replica has the lease");
                    told = true;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(lease = name, error = %Chain(&error), "the lease cannot be taken");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(self.beat()) => {}
            }
        }
        None
    }
}

impl Lease {
    /// The replica that holds it.
    pub(crate) fn owner(&self) -> &str {
        &self.replica.name
    }

    /// Whether the lease is still this replica's. Costs nothing while it has not run out;
    /// after a pause it is asked for again.
    pub(crate) async fn still_held(&self) -> Result<bool, StoreError> {
        let sure_until = *self
            .sure_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if Instant::now() < sure_until {
            return Ok(true);
        }
        self.renew().await
    }

    async fn renew(&self) -> Result<bool, StoreError> {
        let asked = Instant::now();
        let Replica { store, name, lease } = &self.replica;
        let held = store.take_lease(&self.name, name, *lease).await?;
        if held {
            *self
                .sure_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = asked + *lease;
        }
        Ok(held)
    }

    /// Does `work` while the lease is renewed beside it. When the lease is lost, the work is
    /// dropped where it is, as by a crash.
    pub(crate) async fn keep(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            () = work => {}
            () = self.renew_until_lost() => {
                tracing::warn!(lease = self.name, replica = self.owner(), "lease lost");
            }
        }
    }

    async fn renew_until_lost(&self) {
        loop {
            tokio::time::sleep(self.replica.beat()).await;
            match self.renew().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(lease = self.name, error = %Chain(&error), "the lease could not be renewed");
                }
            }
        }
    }

    /// Gives the lease back, so that another replica need not wait for its end.
    pub(crate) async fn release(self) {
        let released = self
            .replica
            .store
            .release_lease(&self.name, self.owner())
            .await;
        if let Err(error) = released {
            tracing::warn!(lease = self.name, error = %Chain(&error), "the lease runs out by itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::empty_store;

    const LONG: Duration = Duration::from_secs(60);

    fn replica(store: &Arc<dyn Store>, name: &str, lease_ms: u64) -> Replica {
        Replica {
            store: store.clone(),
            name: name.into(),
            lease: Duration::from_millis(lease_ms),
        }
    }

    #[tokio::test]
    async fn work_is_dropped_once_another_replica_has_the_lease() {
        let (_folder, store) = empty_store().await;
        let shutdown = CancellationToken::new();
        let lease = replica(&store, "a", 200)
            .acquire("x", &shutdown)
            .await
            .unwrap();
        store.release_lease("x", "a").await.unwrap();
        assert!(store.take_lease("x", "b", LONG).await.unwrap());
        let work = lease.keep(std::future::pending());
        tokio::time::timeout(Duration::from_secs(10), work)
            .await
            .unwrap();
        lease.release().await;
        assert!(
            !store.take_lease("x", "c", LONG).await.unwrap(),
            "a gave nothing back that is b's"
        );
    }

    #[tokio::test]
    async fn a_lease_is_renewed_while_its_work_goes_on() {
        let (_folder, store) = empty_store().await;
        let shutdown = CancellationToken::new();
        let lease = replica(&store, "a", 1_500)
            .acquire("x", &shutdown)
            .await
            .unwrap();
        let work = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_millis(700)).await;
                assert!(!store.take_lease("x", "b", LONG).await.unwrap());
            }
        };
        lease.keep(work).await;
        lease.release().await;
        assert!(store.take_lease("x", "b", LONG).await.unwrap());
    }

    #[tokio::test]
    async fn a_replica_that_was_paused_asks_before_it_believes() {
        let (_folder, store) = empty_store().await;
        let shutdown = CancellationToken::new();
        let lease = replica(&store, "a", 50)
            .acquire("x", &shutdown)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(
            lease.still_held().await.unwrap(),
            "nobody took it meanwhile"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(store.take_lease("x", "b", LONG).await.unwrap());
        assert!(!lease.still_held().await.unwrap());
    }

    #[tokio::test]
    async fn a_lease_that_a_dead_replica_had_is_taken_over() {
        let (_folder, store) = empty_store().await;
        let shutdown = CancellationToken::new();
        let dead = Duration::from_millis(300);
        assert!(store.take_lease("x", "dead", dead).await.unwrap());
        let waiting = replica(&store, "a", 90);
        let taking = waiting.acquire("x", &shutdown);
        let taken = tokio::time::timeout(Duration::from_secs(10), taking).await;
        assert!(taken.unwrap().is_some());
    }
}
