//! Reads the schema of a table.

use sqlx::{Row as _, SqliteConnection};

use crate::dialect::Dialect;
use crate::identifier::Identifier;
use crate::schema::{Kind, LiveColumn, Native, TableSchema};

/// In `pragma_table_xinfo.hidden`: 2 and 3 are virtual and stored generated columns.
const GENERATED: [i64; 2] = [2, 3];

pub(super) async fn table_names(
    connection: &mut SqliteConnection,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' \
         ESCAPE '!' ORDER BY name",
    )
    .fetch_all(connection)
    .await
}

pub(super) async fn table(
    connection: &mut SqliteConnection,
    table: &Identifier,
) -> Result<Option<TableSchema>, sqlx::Error> {
    let is_table: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)",
    )
    .bind(table.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    if is_table.is_none() {
        return Ok(None);
    }
    let mut schema = TableSchema {
        dialect: Dialect::Sqlite,
        columns: Vec::new(),
        unique_keys: Vec::new(),
        indexed: Vec::new(),
        faults: Vec::new(),
    };
    read_columns(connection, table, &mut schema).await?;
    read_indexes(connection, table, &mut schema).await?;
    Ok(Some(schema))
}

async fn read_columns(
    connection: &mut SqliteConnection,
    table: &Identifier,
    schema: &mut TableSchema,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden \
         FROM pragma_table_xinfo(?) ORDER BY cid",
    )
    .bind(table.as_str())
    .fetch_all(connection)
    .await?;
    let mut primary_key: Vec<(i64, String)> = Vec::new();
    for row in rows {
        let name: String = row.try_get(0)?;
        let declared: String = row.try_get(1)?;
        let key_position: i64 = row.try_get(4)?;
        // A lone INTEGER PRIMARY KEY is the row number, which SQLite fills in by itself.
        let numbered = key_position > 0 && declared.eq_ignore_ascii_case("INTEGER");
        if key_position > 0 {
            primary_key.push((key_position, name.clone()));
        }
        schema.columns.push(LiveColumn {
            name,
            kind: kind_of(&declared),
            declared,
            native: Native::Plain,
            nullable: row.try_get::<i64, _>(2)? == 0,
            has_default: row.try_get::<i64, _>(3)? != 0 || numbered,
            generated: GENERATED.contains(&row.try_get::<i64, _>(5)?),
        });
    }
    primary_key.sort();
    if let Some((_, first)) = primary_key.first() {
        schema.indexed.push(first.clone());
        schema
            .unique_keys
            .push(primary_key.into_iter().map(|(_, name)| name).collect());
    }
    Ok(())
}

async fn read_indexes(
    connection: &mut SqliteConnection,
    table: &Identifier,
    schema: &mut TableSchema,
) -> Result<(), sqlx::Error> {
    // A partial index says nothing about the rows outside of it, so it is left out.
    let rows = sqlx::query(
        "SELECT list.name, list.\"unique\", info.seqno, coalesce(info.name, '') \
         FROM pragma_index_list(?) AS list, pragma_index_xinfo(list.name) AS info \
         WHERE info.key = 1 AND list.partial = 0 ORDER BY list.name, info.seqno",
    )
    .bind(table.as_str())
    .fetch_all(connection)
    .await?;
    for row in rows {
        let unique = row.try_get::<i64, _>(1)? != 0;
        let is_first = row.try_get::<i64, _>(2)? == 0;
        let column: String = row.try_get(3)?;
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

/// The kind of column by its declared type. SQLite gives a column it does not understand
/// (`STRING`, for one) the numeric affinity, which drops leading zeros: such a type is
/// [`Kind::Other`] and fits nothing. <https://www.sqlite.org/datatype3.html>
fn kind_of(declared: &str) -> Kind {
    let upper = declared.trim().to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    if upper.is_empty() || upper == "ANY" {
        Kind::Untyped
    } else if has("INT") {
        Kind::Integer
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Kind::Text
    } else if has("BLOB") {
        Kind::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Kind::Real
    } else if has("BOOL") {
        Kind::Boolean
    } else if has("DATETIME") || has("TIMESTAMP") {
        Kind::Timestamp
    } else if has("DATE") {
        Kind::Date
    } else if has("JSON") {
        Kind::Json
    } else if has("UUID") {
        Kind::Uuid
    } else if has("DEC") || has("NUM") {
        Kind::Decimal
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_understood_as_sqlite_does() {
        for (declared, kind) in [
            ("varchar(255)", Kind::Text),
            ("BIGINT", Kind::Integer),
            ("datetime(6)", Kind::Timestamp),
            ("date", Kind::Date),
            ("DECIMAL(10,2)", Kind::Decimal),
            ("json", Kind::Json),
            ("", Kind::Untyped),
            ("STRING", Kind::Other),
        ] {
            assert_eq!(kind_of(declared), kind, "{declared}");
        }
    }
}
