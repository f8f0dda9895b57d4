//! What SQLite does in a way of its own within a transaction.

use sea_query::{InsertStatement, SelectStatement, SqliteQueryBuilder, UpdateStatement};
use sea_query_sqlx::{SqlxBinder as _, SqlxValues};
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _};

use super::describe;
use super::error::db_error;
use crate::dialect::session::Backend;
use crate::dialect::{Access, DbError};
use crate::identifier::Identifier;
use crate::row::Cell;
use crate::schema::TableSchema;

impl Backend for Sqlite {
    fn begin(access: Access) -> &'static str {
        match access {
            Access::Read => "BEGIN",
            Access::Write => "BEGIN IMMEDIATE",
        }
    }

    fn error(error: &sqlx::Error) -> DbError {
        db_error(error)
    }

    /// It has no accounts.
    fn lacks_right(_error: &sqlx::Error) -> bool {
        false
    }

    fn insert(insert: &InsertStatement) -> (String, SqlxValues) {
        insert.build_sqlx(SqliteQueryBuilder)
    }

    fn update(update: &UpdateStatement) -> (String, SqlxValues) {
        update.build_sqlx(SqliteQueryBuilder)
    }

    fn select(select: &SelectStatement) -> (String, SqlxValues) {
        select.build_sqlx(SqliteQueryBuilder)
    }

    fn affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
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

    async fn table(
        connection: &mut SqliteConnection,
        table: &Identifier,
    ) -> Result<Option<TableSchema>, sqlx::Error> {
        describe::table(connection, table).await
    }

    async fn table_names(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
        describe::table_names(connection).await
    }
}
