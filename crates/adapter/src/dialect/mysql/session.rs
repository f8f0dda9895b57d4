//! What MySQL and MariaDB do in a way of their own within a transaction.

use sea_query::{InsertStatement, MysqlQueryBuilder, SelectStatement, UpdateStatement};
use sea_query_sqlx::{SqlxBinder as _, SqlxValues};
use sqlx::mysql::{MySqlQueryResult, MySqlRow};
use sqlx::{MySql, MySqlConnection, Row as _, TypeInfo as _, ValueRef as _};

use super::describe;
use super::error::{db_error, lacks_right};
use crate::dialect::session::Backend;
use crate::dialect::{Access, DbError};
use crate::identifier::Identifier;
use crate::row::Cell;
use crate::schema::TableSchema;

impl Backend for MySql {
    /// A writer sees what others have committed at each of its statements, since its WHERE
    /// clauses compare anyway; a reader sees one moment.
    fn begin(access: Access) -> &'static str {
        match access {
            Access::Read => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
            }
            Access::Write => "START TRANSACTION",
        }
    }

    fn error(error: &sqlx::Error) -> DbError {
        db_error(error)
    }

    fn lacks_right(error: &sqlx::Error) -> bool {
        lacks_right(error)
    }

    fn insert(insert: &InsertStatement) -> (String, SqlxValues) {
        insert.build_sqlx(MysqlQueryBuilder)
    }

    fn update(update: &UpdateStatement) -> (String, SqlxValues) {
        update.build_sqlx(MysqlQueryBuilder)
    }

    fn select(select: &SelectStatement) -> (String, SqlxValues) {
        select.build_sqlx(MysqlQueryBuilder)
    }

    /// The rows found, also those that were as they should be: the client asks for that.
    fn affected(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    fn cell(row: &MySqlRow, at: usize) -> Cell {
        let Ok(value) = row.try_get_raw(at) else {
            return Cell::Unusable("an unreadable value");
        };
        if value.is_null() {
            return Cell::Null;
        }
        let name = value.type_info().name().to_owned();
        if name.contains("UNSIGNED") {
            return row
                .try_get_unchecked::<u64, _>(at)
                .ok()
                .and_then(|number| i64::try_from(number).ok())
                .map_or(Cell::Unusable("a number that is too large"), Cell::Integer);
        }
        if name.contains("INT") || name == "BOOLEAN" {
            return row
                .try_get_unchecked::<i64, _>(at)
                .map_or(Cell::Unusable("an unreadable integer"), Cell::Integer);
        }
        // Text of a binary collation comes as bytes.
        row.try_get_unchecked::<String, _>(at)
            .map_or(Cell::Unusable("a value that is no text"), Cell::Text)
    }

    async fn table(
        connection: &mut MySqlConnection,
        table: &Identifier,
    ) -> Result<Option<TableSchema>, sqlx::Error> {
        describe::table(connection, table).await
    }

    async fn table_names(connection: &mut MySqlConnection) -> Result<Vec<String>, sqlx::Error> {
        describe::table_names(connection).await
    }
}
