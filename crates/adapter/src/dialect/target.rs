//! A target database behind a pool of connections.

use std::time::Duration;

use async_trait::async_trait;
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolOptions;
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
            .max_connections(self.max_connections)
            .acquire_timeout(self.busy_timeout.saturating_add(Duration::from_secs(1)))
    }
}

/// A target database, named as it may be shown.
pub(super) struct SqlTarget<B: SqlBackend> {
    pub(super) pool: Pool<B>,
    pub(super) shown: String,
}

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
    let mut first = B::Connection::connect_with(options).await.map_err(failed)?;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut first).await;
    // It has done its work; whether it closes cleanly does not matter.
    let _ = first.close().await;
    answer.map_err(failed)
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
        let connection = self.pool.acquire().await;
        let connection = connection.map_err(|error| at::<B>(&self.shown, &error))?;
        Ok(Box::new(SqlSession::begin(connection, access).await?))
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
        let row = sqlx::query(B::FACTS).fetch_one(&self.pool).await;
        let row = row.map_err(failed)?;
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
