//! Filters that can match nothing. An empty list for a misspelled name would read like good news.

use ach::code::{CorrectionCode, ReturnCode};
use chrono::{DateTime, Utc};
use echeck_proto::timestamp::from_proto;
use prost_types::Timestamp;

use super::Api;
use super::errors::{self, ApiError};

/// What a list was asked for; empty where it was not.
#[derive(Default)]
pub(super) struct Filters<'a> {
    pub(super) source: &'a str,
    pub(super) import_id: &'a str,
    /// The code, with the name of its field.
    pub(super) code: (&'static str, &'a str),
}

/// A stretch of time: from a moment on, and before another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) before: Option<DateTime<Utc>>,
}

impl Times {
    /// Reads two fields of a request.
    pub(super) fn read(
        fields: [&str; 2],
        given: (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Self, ApiError> {
        let time = |field: &str, given: Option<Timestamp>| match given {
            None => Ok(None),
            Some(given) => match from_proto(given) {
                Some(at) => Ok(Some(at)),
                None => Err(errors::invalid(field, "is not a time that can be used")),
            },
        };
        let [from, before] = fields;
        let times = Self {
            from: time(from, given.0)?,
            before: time(before, given.1)?,
        };
        match times {
            Self {
                from: Some(start),
                before: Some(end),
            } if start >= end => {
                let what = format!("must be later than {from}, or nothing can be found");
                Err(errors::invalid(before, what))
            }
            times => Ok(times),
        }
    }

    pub(super) fn include(self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| at >= from) && self.before.is_none_or(|before| at < before)
    }

    /// Whether nothing earlier than `at` is in it.
    pub(super) fn are_over_at(self, at: DateTime<Utc>) -> bool {
        self.from.is_some_and(|from| at < from)
    }
}

/// Amounts in minor units: at least one, and at most another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    least: Option<i64>,
    most: Option<i64>,
}

impl Amounts {
    /// Reads `min_amount_minor` and `max_amount_minor` of a request.
    pub(super) fn read((least, most): (Option<i64>, Option<i64>)) -> Result<Self, ApiError> {
        if let (Some(min), Some(max)) = (least, most)
            && min > max
        {
            let what = "must not be smaller than min_amount_minor, or nothing can be found";
            return Err(errors::invalid("max_amount_minor", what));
        }
        Ok(Self { least, most })
    }

    pub(super) fn include(self, amount_minor: i64) -> bool {
        self.least.is_none_or(|least| amount_minor >= least)
            && self.most.is_none_or(|most| amount_minor <= most)
    }
}

impl Api {
    /// Refuses a name that nothing has. Asked when the first page of a list is empty.
    pub(super) async fn check_filters(&self, filters: Filters<'_>) -> Result<(), ApiError> {
        let Filters {
            source,
            import_id,
            code: (field, code),
        } = filters;
        if !source.is_empty()
            && !self.decider.sources.contains_key(source)
            && !self.store.imports_per_source().await?.contains_key(source)
        {
            let what = format!("there is no source {source:?}");
            return Err(errors::invalid("source", what));
        }
        if !import_id.is_empty() && self.store.import(import_id).await?.is_none() {
            let what = format!("there is no import {import_id:?}");
            return Err(errors::invalid("import_id", what));
        }
        let known = code.parse::<ReturnCode>().is_ok() || code.parse::<CorrectionCode>().is_ok();
        if !code.is_empty() && !known {
            let what = format!("{code:?} is not in the tables of codes, and no entry has it");
            return Err(errors::invalid(field, what));
        }
        Ok(())
    }
}
