//! One transaction on one connection.

use std::sync::Arc;

use async_trait::async_trait;
use sea_query::{SelectStatement, SqliteQueryBuilder};
use sea_query_sqlx::SqlxBinder as _;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column as _, Row as _, Sqlite, SqliteConnection, TypeInfo as _};
use sqlx::{ValueRef as _, query_with};

use super::describe;
use super::error::db_error;
use crate::dialect::{Access, DbError, Session, Statement};
use crate::identifier::Identifier;
use crate::row::{Cell, Row};
use crate::schema::TableSchema;

/// The connection goes back to the pool only after a clean end. Otherwise it is closed,
/// which undoes whatever was open: a trigger may have ended the transaction behind our
/// back, and a call may be canceled at any point.
pub(super) struct SqliteSession {
    connection: Option<PoolConnection<Sqlite>>,
}

impl SqliteSession {
    pub(super) async fn begin(
        connection: PoolConnection<Sqlite>,
        access: Access,
    ) -> Result<Self, DbError> {
        let mut session = Self {
            connection: Some(connection),
        };
        session
            .run(match access {
                Access::Read => "BEGIN",
                Access::Write => "BEGIN IMMEDIATE",
            })
            .await?;
        Ok(session)
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection, DbError> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(DbError::Unavailable("the transaction has ended".to_owned())),
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), DbError> {
        sqlx::query(sql)
            .execute(self.connection()?)
            .await
            .map(|_| ())
            .map_err(|error| db_error(&error))
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

#[async_trait]
impl Session for SqliteSession {
    async fn execute(&mut self, statement: Statement) -> Result<u64, DbError> {
        let (sql, values) = match statement {
            Statement::Insert(insert) => insert.build_sqlx(SqliteQueryBuilder),
            Statement::Update(update) => update.build_sqlx(SqliteQueryBuilder),
        };
        query_with(AssertSqlSafe(sql), values)
            .execute(self.connection()?)
            .await
            .map(|done| done.rows_affected())
            .map_err(|error| db_error(&error))
    }

    async fn fetch(&mut self, select: SelectStatement) -> Result<Vec<Row>, DbError> {
        let (sql, values) = select.build_sqlx(SqliteQueryBuilder);
        let rows = query_with(AssertSqlSafe(sql), values)
            .fetch_all(self.connection()?)
            .await
            .map_err(|error| db_error(&error))?;
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let names: Arc<[String]> = first
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        Ok(rows
            .iter()
            .map(|row| Row::new(Arc::clone(&names), cells(row)))
            .collect())
    }

    async fn describe(&mut self, table: &Identifier) -> Result<Option<TableSchema>, DbError> {
        describe::table(self.connection()?, table)
            .await
            .map_err(|error| db_error(&error))
    }

    async fn table_names(&mut self) -> Result<Vec<String>, DbError> {
        describe::table_names(self.connection()?)
            .await
            .map_err(|error| db_error(&error))
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

fn cells(row: &SqliteRow) -> Vec<Cell> {
    (0..row.len()).map(|at| cell(row, at)).collect()
}

/// SQLite's values have types of their own, whatever the column is declared as.
fn cell(row: &SqliteRow, at: usize) -> Cell {
    let Ok(value) = row.try_get_raw(at) else {
        return Cell::Unusable("an unreadable value");
    };
    if value.is_null() {
        return Cell::Null;
    }
    match value.type_info().name() {
        "INTEGER" => row
            .try_get_unchecked::<i64, _>(at)
            .map_or(Cell::Unusable("an unreadable integer"), Cell::Integer),
        "TEXT" => row
            .try_get_unchecked::<String, _>(at)
            .map_or(Cell::Unusable("text that is not UTF-8"), Cell::Text),
        "REAL" => Cell::Unusable("a floating point number"),
        _ => Cell::Unusable("bytes"),
    }
}
