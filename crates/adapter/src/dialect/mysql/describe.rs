//! Reads the schema of a table.

use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, Row as _};

use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::schema::{Kind, LiveColumn, Native, TableSchema};

/// The information schema has columns of many text types.
fn text(row: &MySqlRow, at: usize) -> Result<String, sqlx::Error> {
    row.try_get_unchecked(at)
}

pub(super) async fn table_names(
    connection: &mut MySqlConnection,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query(
        "SELECT table_name FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name",
    )
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| text(row, 0))
    .collect()
}

pub(super) async fn table(
    connection: &mut MySqlConnection,
    table: &Identifier,
) -> Result<Option<TableSchema>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT COALESCE(engine, '') FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name = ?",
    )
    .bind(table.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let engine = text(&found, 0)?;
    let mut schema = TableSchema {
        dialect: Dialect::Mysql,
        columns: Vec::new(),
        unique_keys: Vec::new(),
        indexed: Vec::new(),
        faults: Vec::new(),
    };
    if !engine.eq_ignore_ascii_case("InnoDB") {
        schema.faults.push(format!(
            "table {:?} is kept by {engine}, which has no transactions; it must be InnoDB",
            table.as_str()
        ));
    }
    read_columns(connection, table, &mut schema).await?;
    read_indexes(connection, table, &mut schema).await?;
    Ok(Some(schema))
}

async fn read_columns(
    connection: &mut MySqlConnection,
    table: &Identifier,
    schema: &mut TableSchema,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT column_name, data_type, column_type, COALESCE(character_set_name, ''), \
         COALESCE(collation_name, ''), CAST(is_nullable = 'YES' AS SIGNED), \
         CAST(column_default IS NOT NULL OR extra LIKE '%auto_increment%' AS SIGNED), \
         CAST(extra LIKE '%STORED GENERATED%' OR extra LIKE '%VIRTUAL GENERATED%' AS SIGNED) \
         FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position",
    )
    .bind(table.as_str())
    .fetch_all(connection)
    .await?;
    for row in rows {
        let (charset, collation) = (text(&row, 3)?, text(&row, 4)?);
        let kind = kind_of(&text(&row, 1)?.to_ascii_lowercase());
        schema.columns.push(LiveColumn {
            name: text(&row, 0)?,
            kind,
            declared: text(&row, 2)?,
            native: match kind {
                Kind::Text if !charset.is_empty() => Native::Mysql { charset, collation },
                _ => Native::Plain,
            },
            nullable: row.try_get_unchecked::<i64, _>(5)? != 0,
            has_default: row.try_get_unchecked::<i64, _>(6)? != 0,
            generated: row.try_get_unchecked::<i64, _>(7)? != 0,
        });
    }
    Ok(())
}

/// An index on the first letters of a column neither makes it unique nor finds its rows.
async fn read_indexes(
    connection: &mut MySqlConnection,
    table: &Identifier,
    schema: &mut TableSchema,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT CAST(non_unique AS SIGNED), CAST(seq_in_index AS SIGNED), \
         CASE WHEN sub_part IS NULL THEN COALESCE(column_name, '') ELSE '' END \
         FROM information_schema.statistics \
         WHERE table_schema = DATABASE() AND table_name = ? ORDER BY index_name, seq_in_index",
    )
    .bind(table.as_str())
    .fetch_all(connection)
    .await?;
    for row in rows {
        let unique = row.try_get_unchecked::<i64, _>(0)? == 0;
        let is_first = row.try_get_unchecked::<i64, _>(1)? == 1;
        let column = text(&row, 2)?;
        if is_first {
            schema.indexed.push(column.clone());
        }
        if unique && is_first {
            schema.unique_keys.push(vec![column]);
        } else if unique && let Some(key) = schema.unique_keys.last_mut() {
            key.push(column);
        }
    }
    Ok(())
}

fn kind_of(data_type: &str) -> Kind {
    match data_type {
        "varchar" | "char" | "text" | "tinytext" | "mediumtext" | "longtext" | "enum" => Kind::Text,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Kind::Integer,
        "decimal" => Kind::Decimal,
        "float" | "double" => Kind::Real,
        "datetime" | "timestamp" => Kind::Timestamp,
        "date" => Kind::Date,
        "json" => Kind::Json,
        // MariaDB's own type.
        "uuid" => Kind::Uuid,
        "binary" | "varbinary" | "blob" | "tinyblob" | "mediumblob" | "longblob" => Kind::Blob,
        _ => Kind::Other,
    }
}
