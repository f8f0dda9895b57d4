//! What MySQL and MariaDB do in their own way, and their catalog.

use sea_query::MysqlQueryBuilder;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlDatabaseError, MySqlQueryResult, MySqlRow};
use sqlx::{MySql, Row as _};

use crate::dialect::backend::{CatalogSql, SqlBackend};
use crate::dialect::{Access, DbError, Dialect};
use crate::row::{Cell, TargetRow};
use crate::schema::{ColumnKind, NativeType};

/// A lock that was not given in time, a deadlock, and a statement that must be prepared again after
/// a change of the schema.
const CONFLICTS: [u16; 3] = [1205, 1213, NEEDS_PREPARING];
const NEEDS_PREPARING: u16 = 1615;

/// Errors about a row that have SQLSTATE HY000
/// (<https://mariadb.com/kb/en/mariadb-error-code-reference/>): a value of the wrong type, no default,
/// a trigger that changes the table it is of, a value that was cut, what a trigger signals, invalid
/// JSON, a constraint.
const REFUSED: [u16; 9] = [1265, 1364, 1366, 1442, 1644, 3140, 3819, 4025, 4161];

/// Numbers from here on are not the server's: a trigger made them up.
const OF_OWNERS: u16 = 30_000;

/// The classes of SQLSTATE that say nothing of the row: the connection, transactions, log-in, what
/// the server rolled back, tables and rights, a statement that was ended, and everything for which
/// there is no class. Whatever else comes, the row was refused: triggers signal states of their
/// owners' making.
const NOT_OF_A_ROW: [&str; 10] = ["08", "25", "28", "3D", "40", "42", "70", "HY", "XA", "0A"];

/// A right to a database, a table or a column that the account lacks.
const LACKS_RIGHT: [u16; 3] = [1044, 1142, 1143];

/// The server, the transaction, or the storage engine takes no writes
/// (<https://mariadb.com/kb/en/mariadb-error-code-reference/>).
const READ_ONLY: [u16; 2] = [1792, 1836];

/// An option of the server forbids the statement. Only when the message names one of these is the
/// server read-only.
const FORBIDDEN_BY_OPTION: u16 = 1290;
const READ_ONLY_OPTIONS: [&str; 2] = ["read-only", "read_only"];

/// The server logs statements, and takes none of a transaction that reads what others committed.
const BINLOG_STATEMENT: u16 = 1665;

/// Where MySQL, which has no type for it, keeps a UUID.
const UUID_BYTES: &str = "binary(16)";

fn number(error: &dyn DatabaseError) -> u16 {
    let error = error.try_downcast_ref::<MySqlDatabaseError>();
    error.map_or(0, MySqlDatabaseError::number)
}

fn is_of_a_row(state: &str) -> bool {
    !state.is_empty() && !NOT_OF_A_ROW.iter().any(|class| state.starts_with(class))
}

impl SqlBackend for MySql {
    type Builder = MysqlQueryBuilder;
    const DIALECT: Dialect = Dialect::Mysql;
    const FACTS: &'static str = "SELECT CONCAT(IF(VERSION() LIKE '%MariaDB%', '', 'MySQL '), \
        VERSION()), CAST(UTC_TIMESTAMP(6) AS CHAR)";

    /// An index on the first letters of a column neither makes it unique nor finds its rows. A table
    /// of MariaDB that keeps its old rows is read and written like any other.
    const CATALOG: CatalogSql = CatalogSql {
        table_names: "SELECT table_name AS name FROM information_schema.tables \
            WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') \
            ORDER BY table_name",
        table: "SELECT CASE WHEN engine = 'InnoDB' THEN '' \
                ELSE COALESCE(engine, '(unknown)') END AS engine, 0 AS row_security \
            FROM information_schema.tables \
            WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') \
                AND table_name = ?",
        namesakes: "SELECT CASE WHEN table_schema <> DATABASE() \
                THEN CONCAT('in database ', table_schema, '; name that one in target.url') \
                WHEN table_type = 'VIEW' THEN 'a view; name the table that it is made of' \
                ELSE CONCAT('a ', LOWER(table_type)) END AS what \
            FROM information_schema.tables WHERE table_name = ? \
            ORDER BY table_schema = DATABASE() DESC, table_schema",
        columns: "SELECT column_name AS name, data_type AS data_type, column_type AS declared, \
            character_set_name AS character_set, collation_name AS collation_name, \
            CAST(is_nullable = 'YES' AS SIGNED) AS nullable, \
            CAST(column_default IS NOT NULL OR extra LIKE '%auto_increment%' AS SIGNED) \
                AS has_default, \
            CAST(extra LIKE '%STORED GENERATED%' OR extra LIKE '%VIRTUAL GENERATED%' AS SIGNED) \
                AS is_generated, \
            CAST(FIND_IN_SET('select', privileges) > 0 AS SIGNED) AS may_select, \
            CAST(FIND_IN_SET('insert', privileges) > 0 AS SIGNED) AS may_insert, \
            CAST(FIND_IN_SET('update', privileges) > 0 AS SIGNED) AS may_update \
            FROM information_schema.columns \
            WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position",
        indexes: "SELECT CAST(non_unique = 0 AS SIGNED) AS is_unique, \
            CAST(seq_in_index = 1 AS SIGNED) AS is_first, \
            CASE WHEN sub_part IS NULL THEN COALESCE(column_name, '') ELSE '' END AS column_name \
            FROM information_schema.statistics \
            WHERE table_schema = DATABASE() AND table_name = ? ORDER BY index_name, seq_in_index",
    };

    /// A writer sees at each statement what others have committed, since its WHERE clauses
    /// compare anyway. A reader sees one moment.
    fn begin(access: Access) -> Option<&'static str> {
        match access {
            Access::Look => None,
            Access::Read => Some(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
                 START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ),
            Access::Write => Some("START TRANSACTION"),
        }
    }

    fn classify(error: &dyn DatabaseError, message: String) -> DbError {
        let number = number(error);
        let state = error.code().unwrap_or_default();
        if CONFLICTS.contains(&number) {
            DbError::Conflict(message)
        } else if REFUSED.contains(&number) || number >= OF_OWNERS || is_of_a_row(&state) {
            DbError::Refused(message)
        } else if is_read_only(number, &message) {
            DbError::ReadOnly(message)
        } else if number == BINLOG_STATEMENT {
            DbError::Unavailable(
                "binlog_format is STATEMENT, and takes no transaction at READ COMMITTED; set it to \
                 ROW or MIXED on the server"
                    .to_owned(),
            )
        } else {
            DbError::Unavailable(format!("{message} (error {number})"))
        }
    }

    fn lacks_right(error: &dyn DatabaseError) -> bool {
        LACKS_RIGHT.contains(&number(error))
    }

    fn is_stale(error: &dyn DatabaseError) -> bool {
        number(error) == NEEDS_PREPARING
    }

    /// The rows found, also those that were as they should be: the client asks for that.
    fn affected(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    fn cell(row: &MySqlRow, at: usize, type_name: &str) -> Cell {
        if type_name.contains("UNSIGNED") {
            return row
                .try_get_unchecked::<u64, _>(at)
                .ok()
                .and_then(|number| i64::try_from(number).ok())
                .map_or(Cell::Unusable("a number that is too large"), Cell::Integer);
        }
        if type_name.contains("INT") || type_name == "BOOLEAN" {
            return row
                .try_get_unchecked::<i64, _>(at)
                .map_or(Cell::Unusable("an unreadable integer"), Cell::Integer);
        }
        // Text of a binary collation comes as bytes, and the catalog has many types of text.
        row.try_get_unchecked::<String, _>(at)
            .map_or(Cell::Unusable("a value that is not text"), Cell::Text)
    }

    fn column_type(row: &TargetRow) -> (ColumnKind, NativeType) {
        if row.cell("declared").text().eq_ignore_ascii_case(UUID_BYTES) {
            return (ColumnKind::Uuid, NativeType::MysqlUuidBytes);
        }
        let kind = kind_of(&row.cell("data_type").text().to_ascii_lowercase());
        let charset = row.cell("character_set").text();
        let collation = row.cell("collation_name").text();
        let native = match kind {
            ColumnKind::Text if !charset.is_empty() => NativeType::Mysql { charset, collation },
            _ => NativeType::Plain,
        };
        (kind, native)
    }
}

fn is_read_only(number: u16, message: &str) -> bool {
    READ_ONLY.contains(&number)
        || (number == FORBIDDEN_BY_OPTION
            && READ_ONLY_OPTIONS
                .iter()
                .any(|option| message.contains(option)))
}

fn kind_of(data_type: &str) -> ColumnKind {
    match data_type {
        "varchar" | "char" | "text" | "tinytext" | "mediumtext" | "longtext" | "enum" => {
            ColumnKind::Text
        }
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ColumnKind::Integer,
        "decimal" => ColumnKind::Decimal,
        "float" | "double" => ColumnKind::Real,
        "datetime" | "timestamp" => ColumnKind::Timestamp,
        "date" => ColumnKind::Date,
        "json" => ColumnKind::Json,
        // MariaDB's own type.
        "uuid" => ColumnKind::Uuid,
        "binary" | "varbinary" | "blob" | "tinyblob" | "mediumblob" | "longblob" => {
            ColumnKind::Blob
        }
        _ => ColumnKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_options_that_forbid_writes_make_a_server_read_only() {
        let option = |name: &str| {
            format!("The server is running with the --{name} option so it cannot execute this")
        };
        assert!(is_read_only(FORBIDDEN_BY_OPTION, &option("read-only")));
        assert!(is_read_only(
            FORBIDDEN_BY_OPTION,
            &option("super-read-only")
        ));
        assert!(!is_read_only(
            FORBIDDEN_BY_OPTION,
            &option("secure-file-priv")
        ));
        assert!(is_read_only(1792, "in a READ ONLY transaction"));
    }
}
