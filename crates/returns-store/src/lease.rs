//! One replica among those that share a returns database. What only one of them needs to do,
//! such as feeding a database, is done by the one that holds its lease. A lease only saves work: a
//! replica that was paused may believe in one that has run out. What keeps two replicas from
//! doing something twice is compare-and-set in the databases.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use echeck_service::ErrorChain;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Store, StoreError};

/// An import that is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedImport {
    pub import_id: String,
    pub source: String,
}

/// Who works on what, by the database's own clock, since those of the replicas may differ.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Takes a lease that is free, has run out, or is the owner's already, for `lease` from
    /// now. False when another has it.
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError>;
    /// Gives a lease back, if `owner` has it.
    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError>;
    /// Claims imports that are neither decided nor refused for `owner`, oldest first: those
    /// that nobody has claimed, whose claim has run out, or which `owner` has claimed already,
    /// but none of `besides` and none that is parked. The claim runs for `lease`. Gives the ids, at
    /// most `limit`.
    ///
    /// A claim only saves work. That nothing is done twice is up to
    /// [`crate::AppendStore::append`].
    async fn claim_imports(
        &self,
        owner: &str,
        besides: &[String],
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<String>, StoreError>;
    /// Lets the claims of `owner` run for another `lease`. Gives those of the imports that it
    /// still has.
    async fn renew_claims(
        &self,
        owner: &str,
        import_ids: &[String],
        lease: Duration,
    ) -> Result<Vec<String>, StoreError>;
    /// Gives an import back, if `owner` has it.
    async fn release_import(&self, import_id: &str, owner: &str) -> Result<(), StoreError>;
    /// Records that a step on an import begins, before it does, so that a step which ends the
    /// process is known afterwards. False when two such steps are known already since the import
    /// last came further: then it is parked.
    async fn begin_work(&self, import_id: &str) -> Result<bool, StoreError>;
    /// Takes back what [`LeaseStore::begin_work`] recorded: the step ended, and the process lives.
    async fn end_work(&self, import_id: &str) -> Result<(), StoreError>;
    /// Imports that nobody works on and nobody may claim, because they ended a process twice.
    async fn parked_imports(&self) -> Result<Vec<ParkedImport>, StoreError>;
    /// Lets a parked import be claimed again. False when it is not parked.
    async fn retry_import(&self, import_id: &str) -> Result<bool, StoreError>;
}

/// A replica.
#[derive(Clone)]
pub struct Replica {
    pub store: Arc<dyn Store>,
    /// No two replicas have the same.
    pub name: Arc<str>,
    /// How long a lease or a claim holds without being renewed.
    pub lease: Duration,
}

/// A lease that this replica holds, as far as it knows.
pub struct Lease {
    replica: Replica,
    name: String,
    /// Until then nobody else can have it, by a clock that nobody sets.
    sure_until: Mutex<Instant>,
}

impl Replica {
    /// How often leases and claims are renewed, and looked for.
    pub fn beat(&self) -> Duration {
        self.lease / 3
    }

    /// Waits until this replica has the lease; `None` at the shutdown.
    pub async fn acquire(&self, name: &str, shutdown: &CancellationToken) -> Option<Lease> {
        let mut reported = false;
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
                Ok(false) if !reported => {
                    tracing::info!(lease = name, replica = %self.name, "another replica has the lease");
                    reported = true;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(lease = name, error = %ErrorChain(&error), "the lease cannot be taken");
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
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The replica that holds it.
    pub fn owner(&self) -> &str {
        &self.replica.name
    }

    /// Whether the lease is still this replica's. Costs nothing while it has not run out;
    /// after a pause it is asked for again.
    pub async fn still_held(&self) -> Result<bool, StoreError> {
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
    pub async fn keep(&self, work: impl Future<Output = ()>) {
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
                    tracing::error!(lease = self.name, error = %ErrorChain(&error), "the lease could not be renewed");
                }
            }
        }
    }

    /// Gives the lease back, so that another replica need not wait for its end.
    pub async fn release(self) {
        let released = self
            .replica
            .store
            .release_lease(&self.name, self.owner())
            .await;
        if let Err(error) = released {
            tracing::warn!(lease = self.name, error = %ErrorChain(&error), "the lease runs out by itself");
        }
    }
}
