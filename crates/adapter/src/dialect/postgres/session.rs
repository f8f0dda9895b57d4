//! What PostgreSQL does in a way of its own within a transaction.

use sea_query::{InsertStatement, PostgresQueryBuilder, SelectStatement, UpdateStatement};
use sea_query_sqlx::{SqlxBinder as _, SqlxValues};
use sqlx::postgres::{PgQueryResult, PgRow};
use sqlx::{PgConnection, Postgres, Row as _, TypeInfo as _, ValueRef as _};

use super::describe;
use super::error::{db_error, lacks_right};
use crate::dialect::session::Backend;
use crate::dialect::{Access, DbError};
use crate::identifier::Identifier;
use crate::row::Cell;
use crate::schema::TableSchema;

impl Backend for Postgres {
    /// A writer sees what others have committed at each of its statements, since its WHERE
    /// clauses compare anyway; a reader sees one moment.
    fn begin(access: Access) -> &'static str {
        match access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    fn error(error: &sqlx::Error) -> DbError {
        db_error(error)
    }

    fn lacks_right(error: &sqlx::Error) -> bool {
        lacks_right(error)
    }

    fn insert(insert: &InsertStatement) -> (String, SqlxValues) {
        insert.build_sqlx(PostgresQueryBuilder)
    }

    fn update(update: &UpdateStatement) -> (String, SqlxValues) {
        update.build_sqlx(PostgresQueryBuilder)
    }

    fn select(select: &SelectStatement) -> (String, SqlxValues) {
        select.build_sqlx(PostgresQueryBuilder)
    }

    fn affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn cell(row: &PgRow, at: usize) -> Cell {
        let Ok(value) = row.try_get_raw(at) else {
            return Cell::Unusable("an unreadable value");
        };
        if value.is_null() {
            return Cell::Null;
        }
        match value.type_info().name() {
            "INT8" => row.try_get::<i64, _>(at).ok(),
            "INT4" => row.try_get::<i32, _>(at).ok().map(i64::from),
            "INT2" => row.try_get::<i16, _>(at).ok().map(i64::from),
            _ => {
                return row
                    .try_get::<String, _>(at)
                    .map_or(Cell::Unusable("a value that is no text"), Cell::Text);
            }
        }
        .map_or(Cell::Unusable("an unreadable integer"), Cell::Integer)
    }

    async fn table(
        connection: &mut PgConnection,
        table: &Identifier,
    ) -> Result<Option<TableSchema>, sqlx::Error> {
        describe::table(connection, table).await
    }

    async fn table_names(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
        describe::table_names(connection).await
    }
}
