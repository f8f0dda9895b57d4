//! Values to what columns hold, and errors that name where something went wrong.

use ach::decision::HoldReason;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::db::Record;

pub(crate) fn json<T: Serialize>(value: &T, place: &str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable(place, error))
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str, place: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(place, error))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "errors are handed over by map_err"
)]
pub(crate) fn unreadable(place: &str, what: impl ToString) -> StoreError {
    StoreError::Unreadable {
        place: place.to_owned(),
        what: what.to_string(),
    }
}

/// A number for a bound value. The databases' integers are signed.
pub(crate) fn bound(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| unreadable("a bound number", error))
}

/// The same for a bound list.
pub(crate) fn bounds(numbers: &[u64]) -> Result<Vec<i64>, StoreError> {
    numbers.iter().copied().map(bound).collect()
}

/// A lease in whole milliseconds, for the database's clock to add.
pub(crate) fn milliseconds(lease: std::time::Duration) -> Result<i64, StoreError> {
    i64::try_from(lease.as_millis()).map_err(|error| unreadable("a lease", error))
}

/// A hold's reason as the word that JSON uses for it.
pub(crate) fn reason_text(reason: HoldReason) -> Result<String, StoreError> {
    Ok(json(&reason, "holds.reason")?.trim_matches('"').to_owned())
}

pub(crate) fn reason(row: &Record) -> Result<HoldReason, StoreError> {
    from_json(&format!("{:?}", row.text("reason")?), "holds.reason")
}

/// Names what was being done when the database failed.
pub(crate) fn failed(what: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { what, source }
}
