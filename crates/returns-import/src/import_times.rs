//! The stages of an import, each with the time spent in it. They overlap.

use std::sync::Arc;

use echeck_service::stopwatch::Stopwatch;

/// The stages of one import, shared by the tasks that work on it.
#[derive(Debug, Clone, Default)]
pub(super) struct ImportTimes(Arc<TimesOfImport>);

/// The stages, each with the time spent in it.
#[derive(Debug, Default)]
pub(super) struct TimesOfImport {
    /// Waiting for the parser.
    pub(super) parse: Stopwatch,
    /// Waiting for the system of record.
    pub(super) look_up: Stopwatch,
    /// Waiting for a batch that was looked up.
    pub(super) wait: Stopwatch,
    /// Reading what the journal knows, and deciding.
    pub(super) decide: Stopwatch,
    /// Appending to the journal.
    pub(super) append: Stopwatch,
}

impl std::ops::Deref for ImportTimes {
    type Target = TimesOfImport;

    fn deref(&self) -> &TimesOfImport {
        &self.0
    }
}
