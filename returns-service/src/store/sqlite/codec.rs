//! Columns to values and back. What cannot be read is a named error, never a default.

use ach::decision::HoldReason;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::StoreError;

/// Times are text that sorts as time does.
pub(super) fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub(super) fn json<T: Serialize>(value: &T, place: &str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable(place, error))
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str, place: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(place, error))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "errors are handed over by map_err"
)]
pub(super) fn unreadable(place: &str, what: impl ToString) -> StoreError {
    StoreError::Unreadable {
        place: place.to_owned(),
        what: what.to_string(),
    }
}

/// A number for a bound value. SQLite's integers are signed.
pub(super) fn bound(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| unreadable("a bound number", error))
}

pub(super) fn text(row: &SqliteRow, column: &str) -> Result<String, StoreError> {
    row.try_get(column)
        .map_err(|error| unreadable(column, error))
}

pub(super) fn optional_text(row: &SqliteRow, column: &str) -> Result<Option<String>, StoreError> {
    row.try_get(column)
        .map_err(|error| unreadable(column, error))
}

pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row
        .try_get(column)
        .map_err(|error| unreadable(column, error))?;
    u64::try_from(number).map_err(|error| unreadable(column, error))
}

pub(super) fn optional_count(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    let number: Option<i64> = row
        .try_get(column)
        .map_err(|error| unreadable(column, error))?;
    number
        .map(|number| u64::try_from(number).map_err(|error| unreadable(column, error)))
        .transpose()
}

pub(super) fn time(row: &SqliteRow, column: &str) -> Result<DateTime<Utc>, StoreError> {
    parse_time(&text(row, column)?, column)
}

pub(super) fn optional_time(
    row: &SqliteRow,
    column: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    optional_text(row, column)?
        .map(|text| parse_time(&text, column))
        .transpose()
}

fn parse_time(text: &str, column: &str) -> Result<DateTime<Utc>, StoreError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|error| unreadable(column, format!("{text:?}: {error}")))
}

/// Reads one of a closed set of words.
pub(super) fn word<T: Copy>(
    row: &SqliteRow,
    column: &str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<T, StoreError> {
    let text = text(row, column)?;
    all.iter()
        .copied()
        .find(|value| as_str(*value) == text)
        .ok_or_else(|| unreadable(column, format!("{text:?} is no known word")))
}

/// A hold's reason as the word that JSON uses for it.
pub(super) fn reason_text(reason: HoldReason) -> Result<String, StoreError> {
    Ok(json(&reason, "holds.reason")?.trim_matches('"').to_owned())
}

pub(super) fn reason(row: &SqliteRow) -> Result<HoldReason, StoreError> {
    from_json(&format!("{:?}", text(row, "reason")?), "holds.reason")
}
