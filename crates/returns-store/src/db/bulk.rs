//! Many rows into one table: one round trip to PostgreSQL, where others may wait for a lock,
//! and a loop over a prepared statement in SQLite.

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use super::postgres::clean;
use super::{OpenTransaction, Transaction, Value, noted, statement};
use crate::StoreError;
use crate::columns::unreadable;

/// Where rows go, and what was being done, for an error.
pub(crate) struct Insert {
    pub(crate) what: &'static str,
    pub(crate) table: &'static str,
    /// With commas between them.
    pub(crate) columns: &'static str,
    /// Ends the statement: `ON CONFLICT DO NOTHING`, or nothing.
    pub(crate) end: &'static str,
}

/// Inserts `rows`, each with a value for every column.
///
/// # Errors
/// When the database refuses, or the values of a column are not all of one kind.
pub(crate) async fn insert_all(
    tx: &mut Transaction,
    insert: &Insert,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let Insert {
        what,
        table,
        columns,
        end,
    } = insert;
    let places = (1..=first.len()).map(|place| format!("${place}"));
    match &mut tx.open {
        OpenTransaction::Sqlite(_) => {
            let places = places.collect::<Vec<_>>().join(", ");
            let sql = format!("INSERT INTO {table} ({columns}) VALUES ({places}) {end}");
            for row in rows {
                let insert = row
                    .into_iter()
                    .fold(statement(what, sql.clone()), |insert, value| {
                        insert.bind(value)
                    });
                insert.execute(&mut *tx).await?;
            }
        }
        OpenTransaction::Postgres(connection) => {
            let turned = turn(rows)?;
            let places: Vec<String> = places
                .zip(&turned)
                .map(|(place, column)| format!("{place}::{}", column.array_type()))
                .collect();
            let sql = format!(
                "INSERT INTO {table} ({columns}) SELECT * FROM UNNEST({}) {end}",
                places.join(", ")
            );
            let inserted = turned
                .into_iter()
                .fold(sqlx::query(AssertSqlSafe(sql)), Column::bind_to)
                .execute(&mut **connection)
                .await;
            noted(&tx.failures, Some(&mut tx.done), what, inserted)?;
        }
    }
    Ok(())
}

/// The values of one column, which PostgreSQL takes as an array.
enum Column {
    Text(Vec<Option<String>>),
    Number(Vec<Option<i64>>),
    Flag(Vec<bool>),
    Time(Vec<Option<DateTime<Utc>>>),
    Bytes(Vec<Vec<u8>>),
}

impl Column {
    fn like(first: &Value) -> Result<Self, StoreError> {
        match first {
            Value::Text(_) => Ok(Self::Text(Vec::new())),
            Value::Number(_) => Ok(Self::Number(Vec::new())),
            Value::Flag(_) => Ok(Self::Flag(Vec::new())),
            Value::Time(_) => Ok(Self::Time(Vec::new())),
            Value::Bytes(_) => Ok(Self::Bytes(Vec::new())),
            Value::Texts(_) | Value::Numbers(_) => Err(mixed()),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), StoreError> {
        match (self, value) {
            (Self::Text(column), Value::Text(text)) => column.push(text.map(clean)),
            (Self::Number(column), Value::Number(number)) => column.push(number),
            (Self::Flag(column), Value::Flag(flag)) => column.push(flag),
            (Self::Time(column), Value::Time(at)) => column.push(at),
            (Self::Bytes(column), Value::Bytes(bytes)) => column.push(bytes),
            _ => return Err(mixed()),
        }
        Ok(())
    }

    fn array_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text[]",
            Self::Number(_) => "bigint[]",
            Self::Flag(_) => "boolean[]",
            Self::Time(_) => "timestamptz[]",
            Self::Bytes(_) => "bytea[]",
        }
    }

    fn bind_to(
        query: Query<'static, Postgres, PgArguments>,
        column: Self,
    ) -> Query<'static, Postgres, PgArguments> {
        match column {
            Self::Text(texts) => query.bind(texts),
            Self::Number(numbers) => query.bind(numbers),
            Self::Flag(flags) => query.bind(flags),
            Self::Time(times) => query.bind(times),
            Self::Bytes(bytes) => query.bind(bytes),
        }
    }
}

fn mixed() -> StoreError {
    unreadable("a bound column", "its values are not of one kind")
}

/// Rows of values to columns of values.
fn turn(rows: Vec<Vec<Value>>) -> Result<Vec<Column>, StoreError> {
    let mut columns = Vec::new();
    for row in rows {
        if columns.is_empty() {
            columns = row.iter().map(Column::like).collect::<Result<_, _>>()?;
        }
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value)?;
        }
    }
    Ok(columns)
}
