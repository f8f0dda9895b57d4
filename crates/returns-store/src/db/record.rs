//! A row of a result. What cannot be read is a named error, never a default.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;
use crate::columns::{from_json, unreadable};

pub(crate) enum Record {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// Reads a column that both kinds of database give as the same Rust type.
macro_rules! get {
    ($record:expr, $column:expr) => {
        match $record {
            Record::Sqlite(row) => row.try_get($column),
            Record::Postgres(row) => row.try_get($column),
        }
        .map_err(|error| unreadable($column, error))
    };
}

impl Record {
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, StoreError> {
        get!(self, column)
    }

    pub(crate) fn text(&self, column: &str) -> Result<String, StoreError> {
        self.optional_text(column)?.ok_or_else(|| empty(column))
    }

    pub(crate) fn optional_number(&self, column: &str) -> Result<Option<i64>, StoreError> {
        get!(self, column)
    }

    pub(crate) fn optional_count(&self, column: &str) -> Result<Option<u64>, StoreError> {
        self.optional_number(column)?
            .map(|number| u64::try_from(number).map_err(|error| unreadable(column, error)))
            .transpose()
    }

    pub(crate) fn count(&self, column: &str) -> Result<u64, StoreError> {
        self.optional_count(column)?.ok_or_else(|| empty(column))
    }

    /// SQLite holds times as text.
    pub(crate) fn optional_time(&self, column: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        match self {
            Self::Postgres(row) => row
                .try_get(column)
                .map_err(|error| unreadable(column, error)),
            Self::Sqlite(_) => self
                .optional_text(column)?
                .map(|text| {
                    DateTime::parse_from_rfc3339(&text)
                        .map(|at| at.with_timezone(&Utc))
                        .map_err(|error| unreadable(column, format!("{text:?}: {error}")))
                })
                .transpose(),
        }
    }

    pub(crate) fn time(&self, column: &str) -> Result<DateTime<Utc>, StoreError> {
        self.optional_time(column)?.ok_or_else(|| empty(column))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool, StoreError> {
        get!(self, column)
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        get!(self, column)
    }

    /// Reads one of a closed set of words.
    pub(crate) fn word<T: FromStr>(&self, column: &str) -> Result<T, StoreError> {
        let text = self.text(column)?;
        let word = text.parse();
        word.map_err(|_| unreadable(column, format!("{text:?} is not a known word")))
    }

    /// Reads a value that is stored as JSON; `place` names it should it be unreadable.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        column: &str,
        place: &str,
    ) -> Result<T, StoreError> {
        from_json(&self.text(column)?, place)
    }
}

fn empty(column: &str) -> StoreError {
    unreadable(column, "there is no value")
}
