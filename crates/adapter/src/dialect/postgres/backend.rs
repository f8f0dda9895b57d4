//! What PostgreSQL does in its own way, and its catalog, which any account may read.

use sea_query::PostgresQueryBuilder;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgQueryResult, PgRow};
use sqlx::{Postgres, Row as _};

use crate::dialect::backend::{CatalogSql, SqlBackend};
use crate::dialect::{Access, DbError, Dialect};
use crate::row::{Cell, TargetRow};
use crate::schema::{ColumnKind, NativeType};

/// The classes of SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) that
/// say nothing of the row: statements that are not complete, the connection, transactions, log-in,
/// prepared statements, savepoints, names of databases and schemas, what the server rolled back,
/// tables and rights, resources, the state that something is in, operators, the system, a snapshot
/// that is gone, its configuration, foreign servers, and itself. Whatever else comes, the row was refused: triggers raise codes of
/// their owners' making.
const NOT_OF_A_ROW: [&str; 22] = [
    "03", "08", "0B", "25", "26", "28", "2B", "2D", "34", "3B", "3D", "3F", "40", "42", "53", "55",
    "57", "58", "72", "F0", "HV", "XX",
];

/// Serialization failure, deadlock, and a lock that was not given in time.
const CONFLICTS: [&str; 3] = ["40001", "40P01", "55P03"];

/// feature_not_supported: a statement that was prepared before a column changed its type. There is
/// no code of its own for it.
const NOT_SUPPORTED: &str = "0A000";
const STALE_PLAN: &str = "cached plan must not change result type";

/// insufficient_privilege
const LACKS_RIGHT: &str = "42501";

/// read_only_sql_transaction: a standby, or default_transaction_read_only.
const READ_ONLY: &str = "25006";

impl SqlBackend for Postgres {
    type Builder = PostgresQueryBuilder;
    const DIALECT: Dialect = Dialect::Postgres;
    /// Two copies that start together must not both find the tables missing.
    const CREATE_OWNED_TABLES: &'static str = concat!(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtext('echeck_cursor')); ",
        include_str!("owned_tables.sql"),
        " COMMIT"
    );
    const FACTS: &'static str =
        "SELECT 'PostgreSQL ' || current_setting('server_version'), clock_timestamp()::text";

    /// A policy that lets the account see and write every row is none. A view that takes UPDATE (4)
    /// and INSERT (8), by itself or by its triggers, is as good as a table.
    ///
    /// A domain holds what its base type holds. A partial index says nothing about the rows
    /// outside it, and an invalid one nothing at all. A column of an index that is an expression
    /// has no name and matches none of ours.
    const CATALOG: CatalogSql = CatalogSql {
        table_names: "SELECT relname::text AS name FROM pg_class WHERE (relkind IN ('r', 'p') \
                OR relkind = 'v' AND pg_relation_is_updatable(oid, true) & 12 = 12) \
            AND pg_table_is_visible(oid) AND relnamespace NOT IN \
                ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
            ORDER BY relname",
        table: "SELECT '' AS engine, (row_security_active(c.oid) AND (EXISTS \
                (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive) \
                OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid \
                    AND p.polpermissive AND p.polcmd = '*' \
                    AND pg_get_expr(p.polqual, c.oid) = 'true' \
                    AND coalesce(pg_get_expr(p.polwithcheck, c.oid), 'true') = 'true' \
                    AND (p.polroles = '{0}' OR EXISTS (SELECT FROM unnest(p.polroles) AS r \
                        WHERE r <> 0 AND pg_has_role(r, 'MEMBER'))))))::int AS row_security \
            FROM pg_class c WHERE (relkind IN ('r', 'p') \
                OR relkind = 'v' AND pg_relation_is_updatable(oid, true) & 12 = 12) \
            AND oid = to_regclass(quote_ident($1))",
        namesakes: "SELECT CASE c.relkind WHEN 'v' THEN 'a view that takes no UPDATE or no INSERT; \
                give it INSTEAD OF triggers' WHEN 'm' THEN 'a materialized view; name the table that \
                it is made of' WHEN 'f' THEN 'a foreign table; connect to the database that has it' \
                ELSE 'in schema ' || quote_ident(n.nspname) || '; set target.schema' END AS what \
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
            WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
            ORDER BY pg_table_is_visible(c.oid) DESC, n.nspname",
        columns: "SELECT a.attname::text AS name, \
            format_type(a.atttypid, a.atttypmod) AS declared, \
            quote_ident(n.nspname) || '.' || quote_ident(b.typname) AS native, \
            CASE b.typtype WHEN 'e' THEN 'enum' ELSE b.typname::text END AS base, \
            (NOT a.attnotnull)::int AS nullable, \
            (a.atthasdef OR a.attidentity <> '')::int AS has_default, \
            (a.attgenerated <> '' OR a.attidentity = 'a')::int AS is_generated, \
            has_column_privilege(a.attrelid, a.attnum, 'SELECT')::int AS may_select, \
            has_column_privilege(a.attrelid, a.attnum, 'INSERT')::int AS may_insert, \
            has_column_privilege(a.attrelid, a.attnum, 'UPDATE')::int AS may_update \
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
            JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END \
            JOIN pg_namespace n ON n.oid = b.typnamespace \
            WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 \
                AND NOT a.attisdropped \
            ORDER BY a.attnum",
        indexes: "SELECT i.indisunique::int AS is_unique, (k = 0)::int AS is_first, \
            coalesce(a.attname::text, '') AS column_name \
            FROM pg_index i CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k \
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] \
                AND a.attnum > 0 \
            WHERE i.indrelid = to_regclass(quote_ident($1)) AND i.indpred IS NULL \
                AND i.indisvalid \
            ORDER BY i.indexrelid, k",
    };

    /// A writer sees at each statement what others have committed, since its WHERE clauses
    /// compare anyway. A reader sees one moment.
    fn begin(access: Access) -> Option<&'static str> {
        match access {
            Access::Look => None,
            Access::Read => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Access::Write => Some("BEGIN ISOLATION LEVEL READ COMMITTED"),
        }
    }

    fn classify(error: &dyn DatabaseError, message: String) -> DbError {
        let code = error.code().unwrap_or_default();
        if CONFLICTS.contains(&&*code) || Self::is_stale(error) {
            DbError::Conflict(message)
        } else if code == READ_ONLY {
            DbError::ReadOnly(message)
        } else if code.is_empty() || NOT_OF_A_ROW.iter().any(|class| code.starts_with(class)) {
            DbError::Unavailable(format!("{message} (SQLSTATE {code})"))
        } else {
            DbError::Refused(message)
        }
    }

    fn lacks_right(error: &dyn DatabaseError) -> bool {
        error.code().as_deref() == Some(LACKS_RIGHT)
    }

    fn is_stale(error: &dyn DatabaseError) -> bool {
        error.code().as_deref() == Some(NOT_SUPPORTED) && error.message().contains(STALE_PLAN)
    }

    fn affected(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    fn cell(row: &PgRow, at: usize, type_name: &str) -> Cell {
        match type_name {
            "INT8" => row.try_get::<i64, _>(at).ok(),
            "INT4" => row.try_get::<i32, _>(at).ok().map(i64::from),
            "INT2" => row.try_get::<i16, _>(at).ok().map(i64::from),
            _ => {
                return row
                    .try_get::<String, _>(at)
                    .map_or(Cell::Unusable("a value that is not text"), Cell::Text);
            }
        }
        .map_or(Cell::Unusable("an unreadable integer"), Cell::Integer)
    }

    fn column_type(row: &TargetRow) -> (ColumnKind, NativeType) {
        let base = row.cell("base").text();
        let native = NativeType::Postgres {
            name: row.cell("native").text(),
            is_enum: base == "enum",
        };
        (kind_of(&base), native)
    }
}

fn kind_of(base: &str) -> ColumnKind {
    match base {
        "text" | "varchar" | "bpchar" | "citext" | "name" | "enum" => ColumnKind::Text,
        "int2" | "int4" | "int8" => ColumnKind::Integer,
        // `money` shows its values in the words of a locale, so it is no number.
        "numeric" => ColumnKind::Decimal,
        "float4" | "float8" => ColumnKind::Real,
        "bool" => ColumnKind::Boolean,
        "timestamp" | "timestamptz" => ColumnKind::Timestamp,
        "date" => ColumnKind::Date,
        "json" | "jsonb" => ColumnKind::Json,
        "uuid" => ColumnKind::Uuid,
        "bytea" => ColumnKind::Blob,
        _ => ColumnKind::Other,
    }
}
