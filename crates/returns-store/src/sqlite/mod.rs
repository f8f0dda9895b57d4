//! The returns database on SQLite: one file, write-ahead log, every commit on disk before
//! it counts.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::adoption::Adoption;
use returns_model::follower::{Progress, RowException};
use returns_model::hold::{HoldChange, HoldFilter, HoldRecord};
use returns_model::import::{Checked, ImportRecord, NewImport, Received, RejectedLine};
use returns_model::journal::{Hash, Head, JournalRow};
use sqlx::migrate::Migrate as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::columns::{Columns as _, failed};
use super::migrate::{TABLE, bring_up_to_date, unread};
use super::settings::StoreSettings;
use super::{Append, Appended, ImportProgress, Known, ReturnFilter, Store, StoreError};

mod adoptions;
mod alerts;
mod append;
mod claims;
mod codec;
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
mod owner;
mod report;
mod settle;
mod webhook;

/// The returns database on SQLite.
pub(crate) struct SqliteStore {
    pool: SqlitePool,
}

/// How long a statement waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects. The switch to WAL needs the file for itself for a moment and does not wait for
/// it as statements do, so it is tried again for as long as they would wait.
async fn connect(
    options: SqliteConnectOptions,
    max_connections: u32,
) -> Result<SqlitePool, sqlx::Error> {
    let until = tokio::time::Instant::now() + BUSY_TIMEOUT;
    loop {
        let pool = SqlitePoolOptions::new().max_connections(max_connections);
        match pool.connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && tokio::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome,
        }
    }
}

/// Whether another connection has the file just now (`SQLITE_BUSY` is 5).
fn is_busy(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|database| database.code()?.parse::<i64>().ok())
        .is_some_and(|extended| extended & 0xff == 5)
}

impl SqliteStore {
    /// Opens the database at `url` (`sqlite:///path/returns.db`), makes or migrates its
    /// tables, and draws the journal's identity if it is new.
    ///
    /// # Errors
    /// When the file cannot be opened or migrated, or when its settings could lose a commit.
    pub(crate) async fn open(
        url: &str,
        settings: &StoreSettings,
        new_journal_id: Uuid,
    ) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| StoreError::Unusable(format!("{url}: {error}")))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = connect(options, settings.max_connections)
            .await
            .map_err(failed("opening the file"))?;
        let mut connection = pool.acquire().await.map_err(failed("opening the file"))?;
        migrate(&mut connection, settings.migrate).await?;
        drop(connection);
        let store = Self { pool };
        store.assert_durable().await?;
        store.init_head(new_journal_id).await?;
        Ok(store)
    }

    /// A commit that a power cut can take back would be a return applied and forgotten.
    async fn assert_durable(&self) -> Result<(), StoreError> {
        let what = "reading its settings";
        let synchronous: i64 = sqlx::query("PRAGMA synchronous")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(what))?;
        let mode: String = sqlx::query("PRAGMA journal_mode")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(what))?;
        if synchronous < 2 || mode != "wal" {
            return Err(StoreError::Unusable(format!(
                "it needs synchronous=FULL and journal_mode=wal, it has {synchronous} and {mode}"
            )));
        }
        Ok(())
    }

    async fn init_head(&self, journal_id: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO journal_head (one, journal_id, position, hash) VALUES (1, ?, 0, x'') \
             ON CONFLICT (one) DO NOTHING",
        )
        .bind(journal_id.to_string())
        .execute(&self.pool)
        .await
        .map_err(failed("drawing the journal's identity"))?;
        Ok(())
    }

    async fn read_head<'e, E>(executor: E) -> Result<Head, StoreError>
    where
        E: sqlx::Executor<'e, Database = sqlx::Sqlite>,
    {
        let row = sqlx::query("SELECT journal_id, position, hash FROM journal_head")
            .fetch_one(executor)
            .await
            .map_err(failed("reading the journal's head"))?;
        let id = row.text("journal_id")?;
        let journal_id = id.parse().map_err(|_| StoreError::Unreadable {
            place: "journal_head.journal_id".to_owned(),
            what: format!("{id:?} is no UUID"),
        })?;
        Ok(Head {
            journal_id,
            position: row.count("position")?,
            hash: Hash::from_bytes(row.bytes("hash")?),
        })
    }
}

/// Brings the tables up to date. SQLite has no lock for migrations, so a process that does the
/// same at the same time can make this one fail halfway; looking again settles that, since a
/// migration is applied whole or not at all.
async fn migrate(connection: &mut SqliteConnection, migrate: bool) -> Result<(), StoreError> {
    let until = tokio::time::Instant::now() + BUSY_TIMEOUT;
    loop {
        match try_to_migrate(connection, migrate).await {
            Err(_) if migrate && tokio::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome,
        }
    }
}

async fn try_to_migrate(
    connection: &mut SqliteConnection,
    migrate: bool,
) -> Result<(), StoreError> {
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)")
            .bind(TABLE)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed("looking for its migrations"))?;
    let applied = if there {
        let applied = connection.list_applied_migrations(TABLE).await;
        Some(applied.map_err(|error| unread(&error))?)
    } else {
        None
    };
    let migrator = sqlx::migrate!("./migrations/sqlite");
    bring_up_to_date(connection, migrator, migrate, applied).await
}

/// Hands every operation to the file that has its subject.
#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.head().await.map(drop)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Self::read_head(&self.pool).await
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
