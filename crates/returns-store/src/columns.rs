//! Columns to values, and values to what columns hold, the same for every kind of database.
//! What cannot be read is a named error, never a default.

use ach::decision::HoldReason;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// A row of a result, whichever database it came from.
pub(super) trait Columns {
    fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError>;
    fn optional_number(&self, column: &str) -> Result<Option<i64>, StoreError>;
    fn optional_time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError>;
    fn flag(&self, column: &str) -> Result<bool, StoreError>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError>;

    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.optional_text(column)?.ok_or_else(|| empty(column))
    }

    fn time(&self, column: &str) -> Result<DateTime<Utc>, StoreError> {
        self.optional_time(column)?.ok_or_else(|| empty(column))
    }

    fn optional_count(&self, column: &str) -> Result<Option<u64>, StoreError> {
        self.optional_number(column)?
            .map(|number| u64::try_from(number).map_err(|error| unreadable(column, error)))
            .transpose()
    }

    fn count(&self, column: &str) -> Result<u64, StoreError> {
        self.optional_count(column)?.ok_or_else(|| empty(column))
    }

    /// Reads one of a closed set of words.
    fn word<T: Copy>(
        &self,
        column: &str,
        all: &[T],
        as_str: impl Fn(T) -> &'static str,
    ) -> Result<T, StoreError> {
        let text = self.text(column)?;
        all.iter()
            .copied()
            .find(|value| as_str(*value) == text)
            .ok_or_else(|| unreadable(column, format!("{text:?} is no known word")))
    }

    /// Reads a value that is stored as JSON; `place` names it should it be unreadable.
    fn json<T: DeserializeOwned>(&self, column: &str, place: &str) -> Result<T, StoreError> {
        from_json(&self.text(column)?, place)
    }
}

fn empty(column: &str) -> StoreError {
    unreadable(column, "there is no value")
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

/// A number for a bound value. The databases' integers are signed.
pub(super) fn bound(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| unreadable("a bound number", error))
}

/// The same for a bound list.
pub(super) fn bounds(numbers: &[u64]) -> Result<Vec<i64>, StoreError> {
    numbers.iter().copied().map(bound).collect()
}

/// A lease in whole milliseconds, for the database's clock to add.
pub(super) fn milliseconds(lease: std::time::Duration) -> Result<i64, StoreError> {
    i64::try_from(lease.as_millis()).map_err(|error| unreadable("a lease", error))
}

/// A hold's reason as the word that JSON uses for it.
pub(super) fn reason_text(reason: HoldReason) -> Result<String, StoreError> {
    Ok(json(&reason, "holds.reason")?.trim_matches('"').to_owned())
}

pub(super) fn reason(row: &impl Columns) -> Result<HoldReason, StoreError> {
    from_json(&format!("{:?}", row.text("reason")?), "holds.reason")
}

/// Names what was being done when the database failed.
pub(super) fn failed(what: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { what, source }
}

impl Columns for crate::db::Record {
    fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.optional_text(column)
    }

    fn optional_number(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.optional_number(column)
    }

    fn optional_time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.optional_time(column)
    }

    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        self.flag(column)
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.bytes(column)
    }
}
