//! Filters that can match nothing. An empty list for a misspelled name would read like good news.

use ach::code::{CorrectionCode, ReturnCode};

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
