//! One statement with its values, and where it runs.

use std::borrow::Cow;

use echeck_service::telemetry;
use sqlx::{PgConnection, PgPool, SqliteConnection, SqlitePool};
use tracing::{Instrument as _, Span};

use super::{
    Database, Failures, OpenTransaction, Pool, Record, Transaction, Value, postgres, sqlite,
};
use crate::StoreError;
use crate::columns::failed;

/// A statement. Its places are `$1`, `$2`, …, in the order of [`Statement::bind`].
pub(crate) struct Statement {
    what: &'static str,
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// Begins a statement. `what` says in an error what was being done: "read a hold".
pub(crate) fn statement(what: &'static str, sql: impl Into<Cow<'static, str>>) -> Statement {
    Statement {
        what,
        sql: sql.into(),
        values: Vec::new(),
    }
}

/// Where a statement runs, and where it is remembered that it failed.
pub(crate) struct On<'a> {
    connection: Connection<'a>,
    failures: &'a Failures,
    /// What a transaction has done, which counts once it is committed.
    done: Option<&'a mut Vec<&'static str>>,
}

/// Any connection of the pool, or a transaction's.
enum Connection<'a> {
    Sqlite(&'a SqlitePool),
    Postgres(&'a PgPool),
    SqliteTransaction(&'a mut SqliteConnection),
    PostgresTransaction(&'a mut PgConnection),
}

impl Connection<'_> {
    /// The span of a statement, where traces are sent.
    fn span(&self, what: &'static str) -> Span {
        if !telemetry::has_traces() {
            return Span::none();
        }
        let system = match self {
            Self::Sqlite(_) | Self::SqliteTransaction(_) => "sqlite",
            Self::Postgres(_) | Self::PostgresTransaction(_) => "postgresql",
        };
        tracing::info_span!(
            "query",
            otel.kind = "client",
            db.system.name = system,
            db.query.summary = what
        )
    }
}

impl<'a> From<&'a Database> for On<'a> {
    fn from(database: &'a Database) -> Self {
        let connection = match &database.pool {
            Pool::Sqlite(pool) => Connection::Sqlite(pool),
            Pool::Postgres(pool) => Connection::Postgres(pool),
        };
        Self {
            connection,
            failures: &database.failures,
            done: None,
        }
    }
}

impl<'a> From<&'a mut Transaction> for On<'a> {
    fn from(transaction: &'a mut Transaction) -> Self {
        let connection = match &mut transaction.open {
            OpenTransaction::Sqlite(tx) => Connection::SqliteTransaction(tx),
            OpenTransaction::Postgres(tx) => Connection::PostgresTransaction(tx),
        };
        Self {
            connection,
            failures: &transaction.failures,
            done: Some(&mut transaction.done),
        }
    }
}

/// Notes how a statement ended.
pub(super) fn noted<T>(
    failures: &Failures,
    done: Option<&mut Vec<&'static str>>,
    what: &'static str,
    outcome: Result<T, sqlx::Error>,
) -> Result<T, StoreError> {
    let gained = outcome.map_err(|error| failures.failed(what, error))?;
    match done {
        // Without a failure there is none to end.
        Some(done) if failures.any() => done.push(what),
        Some(_) => {}
        None => failures.worked(what),
    }
    Ok(gained)
}

impl Statement {
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it, and gives how many rows it changed.
    pub(crate) async fn execute(self, on: impl Into<On<'_>>) -> Result<u64, StoreError> {
        let Self { what, sql, values } = self;
        let On {
            connection,
            failures,
            done,
        } = on.into();
        let span = connection.span(what);
        let running = async {
            match connection {
                Connection::Sqlite(pool) => sqlite::query(sql, values)
                    .execute(pool)
                    .await
                    .map(|done| done.rows_affected()),
                Connection::SqliteTransaction(tx) => sqlite::query(sql, values)
                    .execute(tx)
                    .await
                    .map(|done| done.rows_affected()),
                Connection::Postgres(pool) => postgres::query(sql, values)
                    .execute(pool)
                    .await
                    .map(|done| done.rows_affected()),
                Connection::PostgresTransaction(tx) => postgres::query(sql, values)
                    .execute(tx)
                    .await
                    .map(|done| done.rows_affected()),
            }
        };
        noted(failures, done, what, running.instrument(span).await)
    }

    async fn rows(self, on: On<'_>) -> Result<Vec<Record>, StoreError> {
        let Self { what, sql, values } = self;
        let sqlite_rows = |rows: Vec<_>| rows.into_iter().map(Record::Sqlite).collect();
        let postgres_rows = |rows: Vec<_>| rows.into_iter().map(Record::Postgres).collect();
        let On {
            connection,
            failures,
            done,
        } = on;
        let span = connection.span(what);
        let reading = async {
            match connection {
                Connection::Sqlite(pool) => sqlite::query(sql, values)
                    .fetch_all(pool)
                    .await
                    .map(sqlite_rows),
                Connection::SqliteTransaction(tx) => sqlite::query(sql, values)
                    .fetch_all(tx)
                    .await
                    .map(sqlite_rows),
                Connection::Postgres(pool) => postgres::query(sql, values)
                    .fetch_all(pool)
                    .await
                    .map(postgres_rows),
                Connection::PostgresTransaction(tx) => postgres::query(sql, values)
                    .fetch_all(tx)
                    .await
                    .map(postgres_rows),
            }
        };
        noted(failures, done, what, reading.instrument(span).await)
    }

    /// Every row, each read by `read`.
    pub(crate) async fn list<T>(
        self,
        on: impl Into<On<'_>>,
        read: impl Fn(&Record) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(on.into()).await?.iter().map(read).collect()
    }

    /// The first row, if there is one.
    pub(crate) async fn optional<T>(
        self,
        on: impl Into<On<'_>>,
        read: impl Fn(&Record) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.rows(on.into()).await?.first().map(read).transpose()
    }

    /// The row of a statement that always has one.
    pub(crate) async fn one<T>(
        self,
        on: impl Into<On<'_>>,
        read: impl Fn(&Record) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let what = self.what;
        self.optional(on, read)
            .await?
            .ok_or_else(|| failed(what)(sqlx::Error::RowNotFound))
    }
}
