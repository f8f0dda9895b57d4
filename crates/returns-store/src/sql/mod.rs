//! The returns database: each subject's statements in a file of their own.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::db::{Database, Pool, statement};
use crate::watch::WatchConnection;
use crate::{Store, StoreError};

mod adoptions;
mod alerts;
mod append;
mod append_rows;
mod attempts;
mod audit;
mod delivery;
mod dishonor;
mod event;
mod event_writes;
mod fan_out;
mod files;
mod followers;
mod holds;
mod import_rows;
mod imports;
mod incident_rows;
mod incidents;
mod journal;
mod leases;
mod owners;
mod proposals;
mod remote_files;
mod report;
mod requests;
mod runs;
mod sealed;
mod settle;
mod sources;
mod stats;
mod transfers;
mod verify;
mod webhook;
mod webhook_rows;
mod writes;

/// The returns database on either kind of server.
pub(crate) struct SqlStore {
    pub(crate) db: Database,
    /// Other connections to it, for what is known of transfers.
    pub(crate) lookups: Database,
    pub(crate) watch: WatchConnection,
}

#[async_trait]
impl Store for SqlStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.watch.write(&self.db).await
    }

    async fn database_time(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        if let Pool::Sqlite(_) = self.db.pool {
            return Ok(None);
        }
        let asked = statement(
            "ask the database for its time",
            "SELECT clock_timestamp() AS now",
        );
        asked.one(&self.db, |row| row.time("now")).await.map(Some)
    }
}
