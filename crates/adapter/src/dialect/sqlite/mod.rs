//! SQLite: a file on this machine, in WAL mode, synced at every commit.

mod describe;
mod error;
mod session;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use self::error::{db_error, is_busy};
use crate::dialect::session::SqlSession;
use crate::dialect::{Access, Database, DbError, Dialect, Facts, Session};
use crate::timestamp;

/// The adapter's own tables, as an operator may run them.
pub const OWNED_TABLES_SQL: &str = include_str!("owned_tables.sql");

/// `PRAGMA synchronous` for FULL. Anything less may lose the last commits on a power cut,
/// and a cursor that went back without its rows would break the exactly-once effect.
const SYNCHRONOUS_FULL: i64 = 2;

/// An SQLite file as the target.
pub struct SqliteTarget {
    pool: SqlitePool,
    shown: String,
}

impl SqliteTarget {
    /// Opens an existing file.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when there is no such file, or it cannot be opened or be
    /// switched to WAL with full synchronization.
    pub async fn open(
        path: &Path,
        busy_timeout: Duration,
        max_connections: u32,
    ) -> Result<Self, DbError> {
        let shown = format!("sqlite {}", path.display());
        if !path.is_file() {
            return Err(DbError::Unavailable(format!(
                "there is no file {}",
                path.display()
            )));
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(busy_timeout);
        let pool = SqlitePoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(busy_timeout.saturating_add(Duration::from_secs(1)));
        let pool = connect(pool, options, busy_timeout)
            .await
            .map_err(|error| {
                DbError::Unavailable(format!("{shown}: {}", db_error(&error).what()))
            })?;
        let target = Self { pool, shown };
        target.assert_durable().await?;
        Ok(target)
    }

    async fn assert_durable(&self) -> Result<(), DbError> {
        let mode: String = self.pragma("PRAGMA journal_mode").await?;
        let synchronous: i64 = self.pragma("PRAGMA synchronous").await?;
        if mode.eq_ignore_ascii_case("wal") && synchronous >= SYNCHRONOUS_FULL {
            return Ok(());
        }
        Err(DbError::Unavailable(format!(
            "{}: journal_mode is {mode} and synchronous is {synchronous}; WAL and 2 (FULL) are \
             needed, so that no commit is lost on a power cut",
            self.shown
        )))
    }

    async fn pragma<T>(&self, sql: &'static str) -> Result<T, DbError>
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        sqlx::query_scalar(sql)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| db_error(&error))
    }
}

/// Connects. The switch to WAL needs the file for itself for a moment and does not wait for
/// it as statements do, so it is tried again for as long as they would wait.
async fn connect(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
    busy_timeout: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    let until = tokio::time::Instant::now() + busy_timeout;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && tokio::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            outcome => return outcome,
        }
    }
}

#[async_trait]
impl Database for SqliteTarget {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn begin(&self, access: Access) -> Result<Box<dyn Session>, DbError> {
        let connection = self
            .pool
            .acquire()
            .await
            .map_err(|error| db_error(&error))?;
        Ok(Box::new(SqlSession::begin(connection, access).await?))
    }

    async fn create_owned_tables(&self) -> Result<(), DbError> {
        sqlx::raw_sql(OWNED_TABLES_SQL)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| db_error(&error))
    }

    async fn facts(&self) -> Result<Facts, DbError> {
        let row = sqlx::query("SELECT sqlite_version(), strftime('%Y-%m-%d %H:%M:%f', 'now')")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| db_error(&error))?;
        let text = |at: usize| {
            row.try_get::<String, _>(at)
                .map_err(|error| db_error(&error))
        };
        Ok(Facts {
            version: format!("SQLite {}", text(0)?),
            now: timestamp::read(&text(1)?),
        })
    }

    async fn probe(&self) -> Result<(), DbError> {
        self.pragma::<i64>("SELECT 1").await.map(|_| ())
    }
}
