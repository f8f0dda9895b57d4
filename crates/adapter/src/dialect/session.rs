//! One transaction on one connection, of any database.

use std::sync::Arc;

use async_trait::async_trait;
use echeck_service::telemetry;
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::{
    AssertSqlSafe, Column as _, Executor, IntoArguments, Row as _, TypeInfo as _, ValueRef as _,
};

use tracing::{Instrument as _, Span};

use super::backend::{SqlBackend, schema, sql};
use super::{Access, DbError, Dialect, SqlStatement, TargetSession};
use crate::identifier::Identifier;
use crate::row::{Cell, TargetRow};
use crate::schema::TableSchema;

/// The connection goes back to the pool only after a clean end. Otherwise it is closed, which
/// undoes what was open: a trigger may have ended the transaction unnoticed, a call may be canceled
/// at any point, and after a change of the schema a prepared statement may never work again.
pub(super) struct SqlSession<B: SqlBackend> {
    connection: Option<PoolConnection<B>>,
    /// Whether there is a transaction to end.
    in_transaction: bool,
    statement_bytes: usize,
    /// What the connection remembers of the schema is out of date.
    is_stale: bool,
}

impl<B: SqlBackend> SqlSession<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
{
    pub(super) async fn begin(
        connection: PoolConnection<B>,
        access: Access,
        statement_bytes: usize,
    ) -> Result<Self, DbError> {
        let begin = B::begin(access);
        let mut session = Self {
            connection: Some(connection),
            in_transaction: begin.is_some(),
            statement_bytes,
            is_stale: false,
        };
        if let Some(begin) = begin {
            session.run(begin).await?;
        }
        Ok(session)
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), DbError> {
        sqlx::raw_sql(sql)
            .execute(self.connection()?)
            .await
            .map(|_| ())
            .map_err(|error| B::error(&error))
    }
}

impl<B: SqlBackend> SqlSession<B> {
    /// Why a statement failed.
    fn failure(&mut self, verb: &str, error: &sqlx::Error) -> DbError {
        self.is_stale |= error.as_database_error().is_some_and(B::is_stale);
        failure::<B>(verb, error)
    }

    fn connection(&mut self) -> Result<&mut B::Connection, DbError> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(DbError::Unavailable("the transaction has ended".to_owned())),
        }
    }
}

impl<B: SqlBackend> SqlSession<B> {
    /// The pool may use the connection again, unless every transaction on it would fail as this one
    /// did.
    fn give_back(&mut self) {
        if !self.is_stale {
            self.connection = None;
        }
    }
}

impl<B: SqlBackend> Drop for SqlSession<B> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

/// A statement of the catalog about one table.
fn about(sql: &str, table: &Identifier) -> SqlStatement {
    SqlStatement::Text {
        sql: sql.to_owned(),
        parameter: Some(table.as_str().to_owned()),
    }
}

#[async_trait]
impl<B: SqlBackend> TargetSession for SqlSession<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    SqlxValues: IntoArguments<B>,
    usize: sqlx::ColumnIndex<B::Row>,
{
    async fn execute(&mut self, statement: SqlStatement) -> Result<u64, DbError> {
        let (sql, values) = sql::<B>(statement);
        let verb = verb(&sql);
        sqlx::query_with(AssertSqlSafe(sql), values)
            .execute(self.connection()?)
            .instrument(span::<B>(verb))
            .await
            .map(|done| B::affected(&done))
            .map_err(|error| self.failure(verb, &error))
    }

    async fn fetch(&mut self, statement: SqlStatement) -> Result<Vec<TargetRow>, DbError> {
        let (sql, values) = sql::<B>(statement);
        let verb = verb(&sql);
        sqlx::query_with(AssertSqlSafe(sql), values)
            .fetch_all(self.connection()?)
            .instrument(span::<B>(verb))
            .await
            .map(|rows| read_all::<B>(&rows))
            .map_err(|error| self.failure(verb, &error))
    }

    async fn describe(&mut self, table: &Identifier) -> Result<Option<TableSchema>, DbError> {
        let about_table = |sql| about(sql, table);
        let found = self.fetch(about_table(B::CATALOG.table)).await?;
        let Some(found) = found.first() else {
            return Ok(None);
        };
        let columns = self.fetch(about_table(B::CATALOG.columns)).await?;
        let indexes = self.fetch(about_table(B::CATALOG.indexes)).await?;
        let mut schema = schema::<B>(&columns, &indexes);
        schema.row_security = found.cell("row_security").integer() == Some(1);
        let engine = found.cell("engine").text();
        if !engine.is_empty() {
            schema.faults.push(format!(
                "table {:?} uses the storage engine {engine}, which has no transactions; it must \
                 be InnoDB",
                table.as_str()
            ));
        }
        Ok(Some(schema))
    }

    fn statement_bytes(&self) -> usize {
        self.statement_bytes
    }

    async fn table_names(&mut self) -> Result<Vec<String>, DbError> {
        let statement = SqlStatement::Text {
            sql: B::CATALOG.table_names.to_owned(),
            parameter: None,
        };
        let rows = self.fetch(statement).await?;
        Ok(rows.iter().map(|row| row.cell("name").text()).collect())
    }

    async fn namesake(&mut self, table: &Identifier) -> Result<Option<String>, DbError> {
        let found = self.fetch(about(B::CATALOG.namesakes, table)).await?;
        Ok(found.first().map(|row| row.cell("what").text()))
    }

    async fn set_savepoint(&mut self) -> Result<(), DbError> {
        self.run("SAVEPOINT echeck_group").await
    }

    async fn release_savepoint(&mut self) -> Result<(), DbError> {
        self.run("RELEASE SAVEPOINT echeck_group").await
    }

    async fn roll_back_to_savepoint(&mut self) -> Result<(), DbError> {
        self.run("ROLLBACK TO SAVEPOINT echeck_group").await?;
        self.release_savepoint().await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), DbError> {
        if self.in_transaction {
            self.run("COMMIT").await?;
        }
        self.give_back();
        Ok(())
    }

    async fn roll_back(mut self: Box<Self>) {
        if !self.in_transaction || self.run("ROLLBACK").await.is_ok() {
            self.give_back();
        }
    }
}

/// The span of a statement, where traces are sent.
fn span<B: SqlBackend>(verb: &'static str) -> Span {
    if !telemetry::has_traces() {
        return Span::none();
    }
    let system = match B::DIALECT {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgresql",
        Dialect::Mysql => "mysql",
    };
    tracing::info_span!(
        "query",
        otel.kind = "client",
        db.system.name = system,
        db.operation.name = verb
    )
}

/// The right that a statement needs, in the word with which it is granted.
fn verb(sql: &str) -> &'static str {
    if sql.starts_with("INSERT") {
        "INSERT"
    } else if sql.starts_with("UPDATE") {
        "UPDATE"
    } else if sql.contains(" FOR UPDATE") || sql.contains(" FOR NO KEY UPDATE OF o") {
        "SELECT … FOR UPDATE"
    } else {
        "SELECT"
    }
}

/// Why a statement failed. PostgreSQL does not say which right an account lacks.
fn failure<B: SqlBackend>(verb: &str, error: &sqlx::Error) -> DbError {
    let lacks_right = error.as_database_error().is_some_and(B::lacks_right);
    match B::error(error) {
        DbError::Unavailable(message) if lacks_right => DbError::Unavailable(format!(
            "{message}: the adapter's account lacks a right that its {verb} needs; the SQL files \
             in the adapter's folder roles grant what it needs"
        )),
        other => other,
    }
}

fn read_all<B: SqlBackend>(rows: &[B::Row]) -> Vec<TargetRow>
where
    usize: sqlx::ColumnIndex<B::Row>,
{
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let names = first
        .columns()
        .iter()
        .map(|column| column.name().to_owned());
    let names: Arc<[String]> = names.collect();
    let cell = |row: &B::Row, at| match row.try_get_raw(at) {
        Err(_) => Cell::Unusable("an unreadable value"),
        Ok(value) if value.is_null() => Cell::Null,
        Ok(value) => B::cell(row, at, value.type_info().name()),
    };
    rows.iter()
        .map(|row| {
            let cells = (0..row.len()).map(|at| cell(row, at)).collect();
            TargetRow::new(Arc::clone(&names), cells)
        })
        .collect()
}
