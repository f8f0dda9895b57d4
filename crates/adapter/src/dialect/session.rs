//! One transaction on one connection, of any database.

use std::sync::Arc;

use async_trait::async_trait;
use sea_query::{InsertStatement, SelectStatement, UpdateStatement};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Column as _, Encode, Executor, IntoArguments, Row as _, Type};

use super::{Access, DbError, Session, Statement};
use crate::identifier::Identifier;
use crate::row::{Cell, Row};
use crate::schema::TableSchema;
use crate::set::SetSql;

/// What a database does in a way of its own.
pub(super) trait Backend: sqlx::Database {
    /// The statement that begins a transaction.
    fn begin(access: Access) -> &'static str;
    /// Tells a refusal from an outage.
    fn error(error: &sqlx::Error) -> DbError;
    /// Whether the account lacks the right to a table or a column.
    fn lacks_right(error: &sqlx::Error) -> bool;
    /// An INSERT as SQL.
    fn insert(insert: &InsertStatement) -> (String, SqlxValues);
    /// An UPDATE as SQL.
    fn update(update: &UpdateStatement) -> (String, SqlxValues);
    /// A SELECT as SQL.
    fn select(select: &SelectStatement) -> (String, SqlxValues);
    /// How many rows a statement hit.
    fn affected(result: &Self::QueryResult) -> u64;
    /// One value of a row.
    fn cell(row: &Self::Row, at: usize) -> Cell;
    /// Describes a table; `None` when there is none.
    fn table(
        connection: &mut Self::Connection,
        table: &Identifier,
    ) -> impl Future<Output = Result<Option<TableSchema>, sqlx::Error>> + Send;
    /// The names of all tables.
    fn table_names(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;
}

/// The connection goes back to the pool only after a clean end. Otherwise it is closed,
/// which undoes whatever was open: a trigger may have ended the transaction behind our
/// back, and a call may be canceled at any point.
pub(super) struct SqlSession<B: Backend> {
    connection: Option<PoolConnection<B>>,
}

impl<B: Backend> SqlSession<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
{
    pub(super) async fn begin(
        connection: PoolConnection<B>,
        access: Access,
    ) -> Result<Self, DbError> {
        let mut session = Self {
            connection: Some(connection),
        };
        session.run(B::begin(access)).await?;
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

impl<B: Backend> SqlSession<B> {
    fn connection(&mut self) -> Result<&mut B::Connection, DbError> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(DbError::Unavailable("the transaction has ended".to_owned())),
        }
    }
}

impl<B: Backend> Drop for SqlSession<B> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

#[async_trait]
impl<B: Backend> Session for SqlSession<B>
where
    for<'c> &'c mut B::Connection: Executor<'c, Database = B>,
    SqlxValues: IntoArguments<B>,
    B::Arguments: IntoArguments<B>,
    String: for<'q> Encode<'q, B> + Type<B>,
    usize: sqlx::ColumnIndex<B::Row>,
{
    async fn execute(&mut self, statement: Statement) -> Result<u64, DbError> {
        let (sql, values) = match statement {
            Statement::Insert(insert) => B::insert(&insert),
            Statement::Update(update) => B::update(&update),
        };
        let verb = verb(&sql);
        sqlx::query_with(AssertSqlSafe(sql), values)
            .execute(self.connection()?)
            .await
            .map(|done| B::affected(&done))
            .map_err(|error| failed::<B>(verb, &error))
    }

    async fn execute_set(&mut self, set: SetSql) -> Result<u64, DbError> {
        let verb = verb(&set.sql);
        sqlx::query(AssertSqlSafe(set.sql))
            .bind(set.json)
            .execute(self.connection()?)
            .await
            .map(|done| B::affected(&done))
            .map_err(|error| failed::<B>(verb, &error))
    }

    async fn fetch_set(&mut self, set: SetSql) -> Result<Vec<Row>, DbError> {
        let verb = verb(&set.sql);
        sqlx::query(AssertSqlSafe(set.sql))
            .bind(set.json)
            .fetch_all(self.connection()?)
            .await
            .map(|rows| read_all::<B>(&rows))
            .map_err(|error| failed::<B>(verb, &error))
    }

    async fn fetch(&mut self, select: SelectStatement) -> Result<Vec<Row>, DbError> {
        let (sql, values) = B::select(&select);
        let verb = verb(&sql);
        sqlx::query_with(AssertSqlSafe(sql), values)
            .fetch_all(self.connection()?)
            .await
            .map(|rows| read_all::<B>(&rows))
            .map_err(|error| failed::<B>(verb, &error))
    }

    async fn describe(&mut self, table: &Identifier) -> Result<Option<TableSchema>, DbError> {
        B::table(self.connection()?, table)
            .await
            .map_err(|error| B::error(&error))
    }

    async fn table_names(&mut self) -> Result<Vec<String>, DbError> {
        B::table_names(self.connection()?)
            .await
            .map_err(|error| B::error(&error))
    }

    async fn begin_step(&mut self) -> Result<(), DbError> {
        self.run("SAVEPOINT echeck_step").await
    }

    async fn keep_step(&mut self) -> Result<(), DbError> {
        self.run("RELEASE SAVEPOINT echeck_step").await
    }

    async fn roll_back_step(&mut self) -> Result<(), DbError> {
        self.run("ROLLBACK TO SAVEPOINT echeck_step").await?;
        self.keep_step().await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), DbError> {
        self.run("COMMIT").await?;
        self.connection = None;
        Ok(())
    }

    async fn roll_back(mut self: Box<Self>) {
        if self.run("ROLLBACK").await.is_ok() {
            self.connection = None;
        }
    }
}

/// What a statement does, in the word by which its right is granted.
fn verb(sql: &str) -> &'static str {
    if sql.starts_with("INSERT") {
        "INSERT"
    } else if sql.starts_with("UPDATE") {
        "UPDATE"
    } else if sql.ends_with("FOR UPDATE") || sql.ends_with("FOR UPDATE OF o") {
        "SELECT … FOR UPDATE"
    } else {
        "SELECT"
    }
}

/// Why a statement failed. PostgreSQL does not say which right an account lacks.
fn failed<B: Backend>(verb: &str, error: &sqlx::Error) -> DbError {
    match B::error(error) {
        DbError::Unavailable(what) if B::lacks_right(error) => DbError::Unavailable(format!(
            "{what}: the adapter's account lacks a right that its {verb} needs; the SQL files in \
             the adapter's folder roles grant what it needs"
        )),
        other => other,
    }
}

fn read_all<B: Backend>(rows: &[B::Row]) -> Vec<Row> {
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    let names: Arc<[String]> = first
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    rows.iter()
        .map(|row| {
            let cells = (0..row.len()).map(|at| B::cell(row, at)).collect();
            Row::new(Arc::clone(&names), cells)
        })
        .collect()
}
