//! What SQLite does in its own way, and its catalog.

use sea_query::SqliteQueryBuilder;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{Row as _, Sqlite};

use crate::dialect::backend::{CatalogSql, SqlBackend};
use crate::dialect::{Access, DbError, Dialect};
use crate::row::{Cell, TargetRow};
use crate::schema::{ColumnKind, NativeType};

/// The primary result codes (<https://www.sqlite.org/rescode.html>) about the statement and its
/// data. All others are about the file, the disk, the memory or another connection: they pass, or
/// need an operator.
const ERROR: i64 = 1;
const TOO_BIG: i64 = 18;
const CONSTRAINT: i64 = 19;
const MISMATCH: i64 = 20;
const RANGE: i64 = 25;

const BUSY: i64 = 5;
const READ_ONLY: i64 = 8;
/// The file was moved or deleted while it was open. SQLite counts that as read-only.
const READ_ONLY_FILE_MOVED: i64 = 8 | (4 << 8);

fn extended_code(error: &dyn DatabaseError) -> i64 {
    error.code().and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Whether another connection has locked the file.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|database| extended_code(database) & 0xff == BUSY)
}

impl SqlBackend for Sqlite {
    type Builder = SqliteQueryBuilder;
    const DIALECT: Dialect = Dialect::Sqlite;
    const FACTS: &'static str =
        "SELECT 'SQLite ' || sqlite_version(), strftime('%Y-%m-%d %H:%M:%f', 'now')";

    /// A lone INTEGER PRIMARY KEY is the row number, which SQLite fills in by itself. `hidden` is
    /// 2 or 3 for a generated column. A partial index says nothing about the rows outside it.
    const CATALOG: CatalogSql = CatalogSql {
        table_names: "SELECT name FROM sqlite_schema \
            WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
        table: "SELECT '' AS engine, 0 AS row_security FROM sqlite_schema \
            WHERE type = 'table' AND lower(name) = lower(?)",
        namesakes: "SELECT 'a view; name the table that it is made of' AS what FROM sqlite_schema \
            WHERE type = 'view' AND lower(name) = lower(?)",
        columns: "SELECT name, type AS declared, \"notnull\" = 0 AS nullable, \
            dflt_value IS NOT NULL OR (pk > 0 AND upper(type) = 'INTEGER') AS has_default, \
            hidden IN (2, 3) AS is_generated, 1 AS may_select, 1 AS may_insert, \
            1 AS may_update FROM pragma_table_xinfo(?) ORDER BY cid",
        indexes: "SELECT '' AS index_name, pk AS place, 1 AS is_unique, pk = 1 AS is_first, \
            name AS column_name FROM pragma_table_xinfo(?1) WHERE pk > 0 \
            UNION ALL SELECT list.name, info.seqno, list.\"unique\", info.seqno = 0, \
            coalesce(info.name, '') \
            FROM pragma_index_list(?1) AS list, pragma_index_xinfo(list.name) AS info \
            WHERE info.key = 1 AND list.partial = 0 ORDER BY index_name, place",
    };

    fn begin(access: Access) -> Option<&'static str> {
        match access {
            Access::Look => None,
            Access::Read => Some("BEGIN"),
            Access::Write => Some("BEGIN IMMEDIATE"),
        }
    }

    /// Distinguishes a refusal from an outage. `RAISE` in a trigger is a constraint to SQLite.
    fn classify(error: &dyn DatabaseError, message: String) -> DbError {
        let extended = extended_code(error);
        match extended & 0xff {
            ERROR | TOO_BIG | CONSTRAINT | MISMATCH | RANGE => DbError::Refused(message),
            BUSY => DbError::Conflict(message),
            READ_ONLY if extended != READ_ONLY_FILE_MOVED => DbError::ReadOnly(message),
            _ => DbError::Unavailable(message),
        }
    }

    /// SQLite has no accounts.
    fn lacks_right(_error: &dyn DatabaseError) -> bool {
        false
    }

    /// SQLite prepares a statement again by itself.
    fn is_stale(_error: &dyn DatabaseError) -> bool {
        false
    }

    fn affected(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    /// SQLite's values have types of their own, whatever type the column declares.
    fn cell(row: &SqliteRow, at: usize, type_name: &str) -> Cell {
        match type_name {
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

    fn column_type(row: &TargetRow) -> (ColumnKind, NativeType) {
        (kind_of(&row.cell("declared").text()), NativeType::Plain)
    }
}

/// The kind of column by its declared type. SQLite gives a column it does not understand
/// (`STRING`, for one) the numeric affinity, which drops leading zeros: such a type is
/// [`ColumnKind::Other`] and fits nothing. <https://www.sqlite.org/datatype3.html>
fn kind_of(declared: &str) -> ColumnKind {
    let upper = declared.trim().to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    if upper.is_empty() || upper == "ANY" {
        ColumnKind::Untyped
    } else if has("INT") {
        ColumnKind::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        ColumnKind::Text
    } else if has("BLOB") {
        ColumnKind::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        ColumnKind::Real
    } else if has("BOOL") {
        ColumnKind::Boolean
    } else if has("DATETIME") || has("TIMESTAMP") {
        ColumnKind::Timestamp
    } else if has("DATE") {
        ColumnKind::Date
    } else if has("JSON") {
        ColumnKind::Json
    } else if has("UUID") {
        ColumnKind::Uuid
    } else if has("DEC") || has("NUM") {
        ColumnKind::Decimal
    } else {
        ColumnKind::Other
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, Executor as _, SqliteConnection};

    use super::*;

    #[test]
    fn declared_types_are_understood_as_sqlite_does() {
        for (declared, kind) in [
            ("varchar(255)", ColumnKind::Text),
            ("BIGINT", ColumnKind::Integer),
            ("datetime(6)", ColumnKind::Timestamp),
            ("date", ColumnKind::Date),
            ("DECIMAL(10,2)", ColumnKind::Decimal),
            ("json", ColumnKind::Json),
            ("", ColumnKind::Untyped),
            ("STRING", ColumnKind::Other),
        ] {
            assert_eq!(kind_of(declared), kind, "{declared}");
        }
    }

    #[tokio::test]
    async fn a_file_that_takes_no_writes_is_read_only() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let setup = "CREATE TABLE t (c); PRAGMA query_only = on";
        connection.execute(setup).await.unwrap();
        let refused = connection.execute("INSERT INTO t VALUES (1)").await;
        let error = Sqlite::error(&refused.unwrap_err());
        assert!(matches!(error, DbError::ReadOnly(_)), "{error}");
    }
}
