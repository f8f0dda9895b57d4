//! Values on PostgreSQL.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use super::Value;

/// PostgreSQL's text has no NUL, and a statement with one is refused whole. Others make such
/// texts, and only people read them: it becomes the replacement character.
pub(crate) fn clean(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

pub(super) fn query(
    sql: Cow<'static, str>,
    values: Vec<Value>,
) -> Query<'static, Postgres, PgArguments> {
    let query = match sql {
        Cow::Borrowed(sql) => sqlx::query(sql),
        Cow::Owned(sql) => sqlx::query(AssertSqlSafe(sql)),
    };
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text.map(clean)),
        Value::Number(number) => query.bind(number),
        Value::Flag(flag) => query.bind(flag),
        Value::Time(at) => query.bind(at),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Texts(texts) => query.bind(texts.into_iter().map(clean).collect::<Vec<_>>()),
        Value::Numbers(numbers) => query.bind(numbers),
    })
}
