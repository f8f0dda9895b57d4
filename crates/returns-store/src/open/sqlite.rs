//! SQLite: one file, write-ahead log, every commit on disk before it counts.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use echeck_service::privacy;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use super::migrate::{TABLE, bring_up_to_date};
use crate::StoreError;
use crate::columns::failed;
use crate::settings::StoreSettings;

/// How long a statement waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database at `url` (`sqlite:///path/returns.db`) and makes or migrates its tables.
///
/// # Errors
/// When the file cannot be opened or migrated, or when its settings could lose a commit.
pub(super) async fn open(url: &str, settings: &StoreSettings) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Unusable(format!("{url}: {error}")))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    let file = options.get_filename().to_owned();
    let pool = connect(options, settings.max_connections)
        .await
        .map_err(failed("open the file"))?;
    let mut connection = pool.acquire().await.map_err(failed("open the file"))?;
    migrate(&mut connection, settings.migrate).await?;
    assert_durable(&mut connection).await?;
    drop(connection);
    keep_to_owner(&file)?;
    Ok(pool)
}

/// Closes the files of the database to other users: they hold names and amounts.
fn keep_to_owner(file: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        privacy::private_file(Path::new(&name))
            .map_err(|error| StoreError::Unusable(error.to_string()))?;
    }
    Ok(())
}

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

/// A commit that a power cut can take back would be a return applied and forgotten.
async fn assert_durable(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let what = "read its settings";
    let synchronous: i64 = sqlx::query("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed(what))?;
    let mode: String = sqlx::query("PRAGMA journal_mode")
        .fetch_one(connection)
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
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = $1)")
            .bind(TABLE)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed("find its migrations"))?;
    let migrator = sqlx::migrate!("./migrations/sqlite");
    bring_up_to_date(connection, migrator, there, migrate).await
}
