//! What every part of the service stands on.

use std::sync::Arc;

use echeck_service::clock::{Clocks, SharedClock};
use echeck_service::machine::host_name;
use returns_alerts::{IncidentReporter, Signal};
use returns_import::Spool;
use returns_reports::bucket::Bucket;
use returns_store::{Notifier, Replica, Store, StoreAddress};
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use super::ServiceError;
use crate::config::Config;

/// The databases, the disk, the time, and how parts reach each other.
pub(super) struct Base {
    pub(super) store: Arc<dyn Store>,
    /// The same database for those who call, over connections of their own.
    pub(super) calls: Arc<dyn Store>,
    /// The identity of the journal, which is that of the installation.
    pub(super) journal_id: Uuid,
    pub(super) replica: Replica,
    pub(super) spool: Spool,
    pub(super) bucket: Option<Bucket>,
    pub(super) clock: SharedClock,
    pub(super) clocks: Clocks,
    pub(super) notifier: Notifier,
    pub(super) incidents: IncidentReporter,
}

impl Base {
    /// Opens what the configuration names. Also returns the signals that will be reported.
    pub(super) async fn open(
        config: &Config,
        clocks: Clocks,
    ) -> Result<(Self, UnboundedReceiver<Signal>), ServiceError> {
        // A start that fails is noted in its folder.
        let (folder, identity) = (config.spool_folder.clone(), config.spool_identity.clone());
        // A disk may not answer.
        let opening = tokio::task::spawn_blocking(move || Spool::open(&folder, &identity));
        let opened = opening.await;
        let opened = opened.map_err(|error| ServiceError::Spool(error.to_string()))?;
        let spool = opened?.with_recipients(&config.spool_recipients);
        let opened = returns_store::open_both(&config.store, Uuid::new_v4()).await;
        let (store, calls) = opened?;
        let journal_id = store.head().await?.journal_id;
        let bucket = config.bucket.as_ref().map(Bucket::open).transpose()?;
        let (incidents, signals) = IncidentReporter::new();
        let base = Self {
            replica: Replica {
                store: store.clone(),
                name: replica_name(config, Uuid::new_v4()).into(),
                lease: config.replica.lease,
            },
            store,
            calls,
            journal_id,
            spool,
            bucket,
            clock: clocks.work.clone(),
            clocks,
            notifier: Notifier::new(),
            incidents,
        };
        Ok((base, signals))
    }
}

/// The name under which this process takes leases and claims. `nonce` keeps it apart from all
/// others. SQLite is used on one machine, mostly by one process: there the name is the same
/// at every start, so that a restart continues at once with what the previous process had.
fn replica_name(config: &Config, nonce: Uuid) -> String {
    if let Some(name) = &config.replica.name {
        return name.clone();
    }
    let host = host_name();
    match &config.store.address {
        StoreAddress::Sqlite(_) => host,
        StoreAddress::Postgres(_) => {
            format!("{host}-{}-{}", std::process::id(), nonce.simple())
        }
    }
}
