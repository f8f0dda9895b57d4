//! What SQLite's columns hold.

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;
use crate::columns::{Columns, unreadable};

/// Times are text that sorts as time does.
pub(super) fn time_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl Columns for SqliteRow {
    fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
    }

    fn optional_number(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
    }

    fn optional_time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.optional_text(column)?
            .map(|text| {
                DateTime::parse_from_rfc3339(&text)
                    .map(|at| at.with_timezone(&Utc))
                    .map_err(|error| unreadable(column, format!("{text:?}: {error}")))
            })
            .transpose()
    }

    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
    }
}
