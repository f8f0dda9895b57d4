//! Values on SQLite: times are text that sorts as time does, lists are JSON.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::AssertSqlSafe;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

use super::Value;

fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn query(
    sql: Cow<'static, str>,
    values: Vec<Value>,
) -> Query<'static, Sqlite, SqliteArguments> {
    let query = match sql {
        Cow::Borrowed(sql) => sqlx::query(sql),
        Cow::Owned(sql) => sqlx::query(AssertSqlSafe(sql)),
    };
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
        Value::Flag(flag) => query.bind(flag),
        Value::Time(at) => query.bind(at.map(time_text)),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Texts(texts) => query.bind(serde_json::Value::from(texts).to_string()),
        Value::Numbers(numbers) => query.bind(serde_json::Value::from(numbers).to_string()),
    })
}
