//! SQLite: a file on this machine, in WAL mode, synced at every commit.

mod backend;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use self::backend::is_busy;
use crate::dialect::target::{PoolLimits, STATEMENT_BYTES, SqlTarget, at};
use crate::dialect::{DbError, TargetDatabase};

/// `PRAGMA synchronous` for FULL. Anything less may lose the last commits on a power cut, and a
/// cursor that went back without its rows would break the exactly-once effect.
const SYNCHRONOUS_FULL: i64 = 2;

/// Opens an existing file. [`DbError::Unavailable`] when there is no such file, or when it cannot
/// be opened or be switched to WAL with full synchronization.
pub(crate) async fn open(
    path: &Path,
    shown: String,
    limits: PoolLimits,
) -> Result<Arc<dyn TargetDatabase>, DbError> {
    if !path.is_file() {
        let message = format!("there is no file {}", path.display());
        return Err(DbError::Unavailable(message));
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(limits.busy_timeout);
    let pool = connect(limits.options(), options, limits.busy_timeout)
        .await
        .map_err(|error| DbError::Unavailable(at::<Sqlite>(&shown, &error).message().to_owned()))?;
    let target = SqlTarget {
        pool,
        shown,
        statement_bytes: STATEMENT_BYTES,
    };
    target.check_durability().await?;
    Ok(Arc::new(target))
}

impl SqlTarget<Sqlite> {
    async fn check_durability(&self) -> Result<(), DbError> {
        let failed = |error: sqlx::Error| at::<Sqlite>(&self.shown, &error);
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        if mode.eq_ignore_ascii_case("wal") && synchronous >= SYNCHRONOUS_FULL {
            return Ok(());
        }
        Err(DbError::Unavailable(format!(
            "{}: journal_mode is {mode} and synchronous is {synchronous}; WAL and 2 (FULL) are \
             needed, so that no commit is lost on a power cut",
            self.shown
        )))
    }
}

/// Connects. The switch to WAL needs the file for itself for a moment and does not wait for it as
/// statements do, so it is tried again for as long as they would wait.
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
