//! The returns database on PostgreSQL: for more than one replica of the service.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::adoption::Adoption;
use returns_model::follower::{Progress, RowException};
use returns_model::hold::{HoldChange, HoldFilter, HoldRecord};
use returns_model::import::{Checked, ImportRecord, NewImport, Received, RejectedLine};
use returns_model::journal::{Hash, Head, JournalRow};
use sqlx::{PgPool, Postgres, Row as _};

use super::columns::{Columns as _, failed};
use super::{Append, Appended, ImportProgress, Known, ReturnFilter, Store, StoreError};

mod adoptions;
mod alerts;
mod append;
mod claims;
mod codec;
mod copy;
mod delivery;
mod dishonor;
mod event;
mod event_writes;
mod followers;
mod holds;
mod imports;
mod incidents;
mod jobs;
mod journal;
mod open;
mod owner;
mod report;
mod rights;
mod settle;
mod webhook;

/// The returns database on PostgreSQL.
pub(crate) struct PgStore {
    pool: PgPool,
}

impl PgStore {
    /// Reads the head with `sql`, which may lock it.
    async fn read_head<'e, E>(executor: E, sql: &'static str) -> Result<Head, StoreError>
    where
        E: sqlx::Executor<'e, Database = Postgres>,
    {
        let what = "reading the journal's head";
        let row = sqlx::query(sql)
            .fetch_one(executor)
            .await
            .map_err(failed(what))?;
        Ok(Head {
            journal_id: row.try_get("journal_id").map_err(failed(what))?,
            position: row.count("position")?,
            hash: Hash::from_bytes(row.bytes("hash")?),
        })
    }
}

/// Hands every operation to the file that has its subject.
#[async_trait]
impl Store for PgStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.head().await.map(drop)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Self::read_head(
            &self.pool,
            "SELECT journal_id, position, hash FROM journal_head",
        )
        .await
    }

    async fn record_adoption(&self, adoption: &Adoption) -> Result<(), StoreError> {
        self.write_adoption(adoption).await
    }

    async fn finish_adoption(
        &self,
        adoption_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write_adopted(adoption_id, at).await
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.append_all(append).await
    }

    async fn known(
        &self,
        transfer_ids: &[String],
        system_of_record: &str,
    ) -> Result<Known, StoreError> {
        self.read_known(transfer_ids, system_of_record).await
    }

    async fn rows_after(&self, position: u64, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        self.read_rows_after(position, limit).await
    }

    async fn row(&self, position: u64) -> Result<Option<JournalRow>, StoreError> {
        self.read_row(position).await
    }

    async fn return_row(&self, return_id: &str) -> Result<Option<JournalRow>, StoreError> {
        self.read_return_row(return_id).await
    }

    async fn returns(
        &self,
        filter: &ReturnFilter,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.read_returns(filter, limit).await
    }

    async fn receive(&self, new: NewImport) -> Result<Received, StoreError> {
        self.record_import(new).await
    }

    async fn import(&self, import_id: &str) -> Result<Option<ImportRecord>, StoreError> {
        self.read_import(import_id).await
    }

    async fn imports(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        self.read_imports(source, before, limit).await
    }

    async fn imports_per_source(&self) -> Result<HashMap<String, u64>, StoreError> {
        self.count_imports().await
    }

    async fn open_imports(&self) -> Result<Vec<String>, StoreError> {
        self.read_open_imports().await
    }

    async fn claim_imports(
        &self,
        owner: &str,
        besides: &[String],
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        self.write_claims(owner, besides, limit, lease).await
    }

    async fn renew_claims(
        &self,
        owner: &str,
        import_ids: &[String],
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        self.prolong_claims(owner, import_ids, lease).await
    }

    async fn release_import(&self, import_id: &str, owner: &str) -> Result<(), StoreError> {
        self.drop_claim(import_id, owner).await
    }

    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        self.write_lease(name, owner, lease).await
    }

    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        self.drop_lease(name, owner).await
    }

    async fn reject_import(
        &self,
        import_id: &str,
        why: &ach::format::FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write_rejection(import_id, why, at).await
    }

    async fn accept_import(
        &self,
        import_id: &str,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write_acceptance(import_id, checked, at).await
    }

    async fn rejected_lines(
        &self,
        import_id: &str,
        limit: u32,
    ) -> Result<Vec<RejectedLine>, StoreError> {
        self.read_rejected_lines(import_id, limit).await
    }

    async fn finish_imports(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        self.mark_applied(databases, at).await
    }

    async fn import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError> {
        self.read_import_progress(import_id, database).await
    }

    async fn hold(&self, hold_id: &str) -> Result<Option<HoldRecord>, StoreError> {
        self.read_hold(hold_id).await
    }

    async fn holds(
        &self,
        filter: &HoldFilter,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        self.read_holds(filter, after, limit).await
    }

    async fn due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        self.read_due_holds(now, limit).await
    }

    async fn open_holds(&self) -> Result<u64, StoreError> {
        self.count_open_holds().await
    }

    async fn change_hold(&self, change: &HoldChange) -> Result<bool, StoreError> {
        self.write_hold_change(change).await
    }

    async fn progress(&self, database: &str) -> Result<Progress, StoreError> {
        self.read_progress(database).await
    }

    async fn record_progress(
        &self,
        database: &str,
        expected: u64,
        position: u64,
        exceptions: &[RowException],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.write_progress(database, expected, position, exceptions, at)
            .await
    }

    async fn record_fault(
        &self,
        database: &str,
        owner: &str,
        fault: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write_fault(database, owner, fault, at).await
    }

    async fn open_exceptions(
        &self,
        database: &str,
        limit: u32,
    ) -> Result<Vec<RowException>, StoreError> {
        self.read_open_exceptions(database, limit).await
    }

    async fn exceptions(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<RowException>, StoreError> {
        self.read_exceptions(database, after, to).await
    }
}
