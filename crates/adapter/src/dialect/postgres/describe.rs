//! Reads the schema of a table from the catalog, which any account may read.

use sqlx::{PgConnection, Row as _};

use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::schema::{Kind, LiveColumn, Native, TableSchema};

pub(super) async fn table_names(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') \
         AND pg_table_is_visible(oid) AND relnamespace NOT IN \
             ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
         ORDER BY relname",
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn table(
    connection: &mut PgConnection,
    table: &Identifier,
) -> Result<Option<TableSchema>, sqlx::Error> {
    let oid: Option<i64> = sqlx::query_scalar(
        "SELECT oid::bigint FROM pg_class WHERE relkind IN ('r', 'p') \
         AND oid = to_regclass(quote_ident($1))",
    )
    .bind(table.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(oid) = oid else { return Ok(None) };
    let mut schema = TableSchema {
        dialect: Dialect::Postgres,
        columns: Vec::new(),
        unique_keys: Vec::new(),
        indexed: Vec::new(),
        faults: Vec::new(),
    };
    read_columns(connection, oid, &mut schema).await?;
    read_indexes(connection, oid, &mut schema).await?;
    Ok(Some(schema))
}

async fn read_columns(
    connection: &mut PgConnection,
    oid: i64,
    schema: &mut TableSchema,
) -> Result<(), sqlx::Error> {
    // A domain holds what its base type holds.
    let rows = sqlx::query(
        "SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS declared, \
         quote_ident(n.nspname) || '.' || quote_ident(t.typname) AS native, \
         b.typname::text AS base, b.typtype::text AS sort, NOT a.attnotnull AS nullable, \
         (a.atthasdef OR a.attidentity <> '') AS has_default, \
         (a.attgenerated <> '' OR a.attidentity = 'a') AS generated \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         JOIN pg_namespace n ON n.oid = t.typnamespace \
         JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END \
         WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    .bind(oid)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let base: String = row.try_get("base")?;
        let is_enum = row.try_get::<String, _>("sort")? == "e";
        schema.columns.push(LiveColumn {
            name: row.try_get("name")?,
            kind: if is_enum { Kind::Text } else { kind_of(&base) },
            declared: row.try_get("declared")?,
            native: Native::Postgres(row.try_get("native")?),
            nullable: row.try_get("nullable")?,
            has_default: row.try_get("has_default")?,
            generated: row.try_get("generated")?,
        });
    }
    Ok(())
}

/// A partial index says nothing about the rows outside of it, and an invalid one nothing at
/// all. A column that is an expression has no name and matches none of ours.
async fn read_indexes(
    connection: &mut PgConnection,
    oid: i64,
    schema: &mut TableSchema,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT i.indisunique AS is_unique, \
         ARRAY(SELECT coalesce(a.attname::text, '') FROM generate_series(0, i.indnkeyatts - 1) k \
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] \
                   AND a.attnum > 0 ORDER BY k) AS columns \
         FROM pg_index i WHERE i.indrelid = $1::oid AND i.indpred IS NULL AND i.indisvalid",
    )
    .bind(oid)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let columns: Vec<String> = row.try_get("columns")?;
        if let Some(first) = columns.first() {
            schema.indexed.push(first.clone());
        }
        if row.try_get("is_unique")? {
            schema.unique_keys.push(columns);
        }
    }
    Ok(())
}

fn kind_of(base: &str) -> Kind {
    match base {
        "text" | "varchar" | "bpchar" | "citext" | "name" => Kind::Text,
        "int2" | "int4" | "int8" => Kind::Integer,
        "numeric" | "money" => Kind::Decimal,
        "float4" | "float8" => Kind::Real,
        "bool" => Kind::Boolean,
        "timestamp" | "timestamptz" => Kind::Timestamp,
        "date" => Kind::Date,
        "json" | "jsonb" => Kind::Json,
        "uuid" => Kind::Uuid,
        "bytea" => Kind::Blob,
        _ => Kind::Other,
    }
}
