//! A target database behind a pool of connections.

use std::time::Duration;

use async_trait::async_trait;
use sea_query_sqlx::SqlxValues;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{ColumnIndex, Connection, Decode, Executor, IntoArguments, Pool, Row as _, Type};

use super::backend::SqlBackend;
use super::session::SqlSession;
use super::{Access, DatabaseFacts, DbError, Dialect, TargetDatabase, TargetSession};
use crate::timestamp;

/// The limits of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimits {
    /// The maximum number of connections.
    pub max_connections: u32,
    /// How long to wait for a free connection, and in SQLite for another writer.
    pub busy_timeout: Duration,
}

impl PoolLimits {
    pub(super) fn options<B: SqlBackend>(self) -> PoolOptions<B> {
        PoolOptions::new()
            .test_before_acquire(false)
            .before_acquire(|connection: &mut B::Connection, before| {
                Box::pin(async move {
                    if before.idle_for > SURELY_ALIVE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .max_connections(self.max_connections)
            .acquire_timeout(self.busy_timeout.saturating_add(Duration::from_secs(1)))
    }
}

/// How long a connection may take that is made to see what is wrong, and an answer to a probe. Shorter
/// than the two seconds that the returns service gives the adapter for it.
pub(crate) const PROBE: Duration = Duration::from_millis(1_500);

/// A connection that was used within this time is taken to be alive. Asking each one before its use
/// would double the round trips of a look-up.
const SURELY_ALIVE: Duration = Duration::from_secs(1);

/// How long the first connection may take.
const FIRST: Duration = Duration::from_secs(5);

pub(crate) fn no_answer(shown: &str, within: Duration) -> DbError {
    let ms = within.as_millis();
    DbError::Unavailable(format!("{shown}: no answer within {ms} ms"))
}

/// Whether nobody answers there, as far as a connection shows.
pub(super) async fn is_away<B: SqlBackend>(
    options: &<B::Connection as Connection>::Options,
) -> bool {
    let connecting = B::Connection::connect_with(options);
    match tokio::time::timeout(PROBE, connecting).await {
        Ok(Ok(connection)) => {
            // Whether it closes cleanly does not matter.
            let _ = connection.close().await;
            false
        }
        Ok(Err(error)) => matches!(error, sqlx::Error::Io(_)),
        Err(_) => true,
    }
}

/// A target database, named as it may be shown.
pub(super) struct SqlTarget<B: SqlBackend> {
    pub(super) pool: Pool<B>,
    pub(super) shown: String,
    /// The bytes of text that one statement may bind.
    pub(super) statement_bytes: usize,
}

/// The bytes of text that one statement binds at most, so that memory is bounded too.
pub(super) const STATEMENT_BYTES: usize = 2 << 20;

/// Names the target in an error about the connection. An outage, unless the target is read-only.
pub(super) fn at<B: SqlBackend>(shown: &str, error: &sqlx::Error) -> DbError {
    match B::error(error) {
        DbError::ReadOnly(message) => DbError::ReadOnly(format!("{shown}: {message}")),
        other => DbError::Unavailable(format!("{shown}: {}", other.message())),
    }
}

/// The text that a first connection reads. A pool would only say that it got no connection, not
/// why.
pub(super) async fn first_answer<B: SqlBackend>(
    options: &<B::Connection as Connection>::Options,
    shown: &str,
    sql: &'static str,
) -> Result<String, DbError>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    B::Arguments: IntoArguments<B>,
    for<'r> String: Decode<'r, B> + Type<B>,
    usize: ColumnIndex<B::Row>,
{
    let failed = |error: sqlx::Error| at::<B>(shown, &error);
    let connecting = B::Connection::connect_with(options);
    let connected = tokio::time::timeout(FIRST, connecting).await;
    let connected = connected.map_err(|_| no_answer(shown, FIRST))?;
    let mut first = connected.map_err(failed)?;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut first).await;
    // It has done its work; whether it closes cleanly does not matter.
    let _ = first.close().await;
    answer.map_err(failed)
}

impl<B: SqlBackend> SqlTarget<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
{
    /// Connects directly while the pool has no connection, as after an outage. The pool tries again
    /// until its time is over, and then only says so; the server says why.
    async fn reach(&self) -> Result<(), DbError> {
        if self.pool.size() > 0 {
            return Ok(());
        }
        // Whether it closes cleanly does not matter.
        let _ = self.connect().await?.close().await;
        Ok(())
    }

    async fn connect(&self) -> Result<B::Connection, DbError> {
        let options = self.pool.connect_options();
        let connecting = B::Connection::connect_with(&options);
        let connected = tokio::time::timeout(PROBE, connecting).await;
        let connected = connected.map_err(|_| self.silent())?;
        connected.map_err(|error| at::<B>(&self.shown, &error))
    }

    fn silent(&self) -> DbError {
        no_answer(&self.shown, PROBE)
    }

    async fn acquire(&self) -> Result<PoolConnection<B>, DbError> {
        self.reach().await?;
        match self.pool.acquire().await {
            Ok(connection) => Ok(connection),
            Err(error) => {
                // The deepest cause is the one to tell.
                let _ = self.connect().await?.close().await;
                Err(at::<B>(&self.shown, &error))
            }
        }
    }
}

#[async_trait]
impl<B: SqlBackend> TargetDatabase for SqlTarget<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    SqlxValues: IntoArguments<B>,
    B::Arguments: IntoArguments<B>,
    for<'r> String: Decode<'r, B> + Type<B>,
    usize: ColumnIndex<B::Row>,
{
    fn dialect(&self) -> Dialect {
        B::DIALECT
    }

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn begin(&self, access: Access) -> Result<Box<dyn TargetSession>, DbError> {
        let connection = self.acquire().await?;
        let session = SqlSession::begin(connection, access, self.statement_bytes);
        Ok(Box::new(session.await?))
    }

    async fn create_owned_tables(&self) -> Result<(), DbError> {
        sqlx::raw_sql(B::CREATE_OWNED_TABLES)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| B::error(&error))
    }

    async fn facts(&self) -> Result<DatabaseFacts, DbError> {
        let failed = |error: sqlx::Error| at::<B>(&self.shown, &error);
        let asking = async {
            // Not one of the pool, which may be left over from before an outage.
            let mut connection = self.connect().await?;
            let row = sqlx::query(B::FACTS).fetch_one(&mut connection).await;
            let _ = connection.close().await;
            row.map_err(failed)
        };
        let row = tokio::time::timeout(PROBE, asking).await;
        let row = row.map_err(|_| self.silent())??;
        let now: String = row.try_get(1).map_err(failed)?;
        Ok(DatabaseFacts {
            version: row.try_get(0).map_err(failed)?,
            now: timestamp::read(&now),
        })
    }

    async fn probe(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| at::<B>(&self.shown, &error))
    }
}
