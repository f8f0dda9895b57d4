//! What PostgreSQL's columns hold.

use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::StoreError;
use crate::columns::{Columns, unreadable};

/// Text that others made, for a bound value. PostgreSQL's text has no NUL, and a statement
/// with one is refused whole: where only people read it, it becomes the replacement character.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The same for text that may be absent.
pub(super) fn clean_option(text: Option<&str>) -> Option<String> {
    text.map(clean)
}

/// The same for a list.
pub(super) fn clean_all<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    texts.into_iter().map(|text| clean(text)).collect()
}

impl Columns for PgRow {
    fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
    }

    fn optional_number(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
    }

    fn optional_time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.try_get(column)
            .map_err(|error| unreadable(column, error))
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
