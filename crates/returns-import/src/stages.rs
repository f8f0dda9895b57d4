//! The stages of an import, each with the time spent in it. They overlap.

use std::sync::Arc;

use echeck_service::stage::Stage;

/// The stages of one import, shared by the tasks that work on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stages(Arc<StagesOfImport>);

/// The stages, each with the time spent in it.
#[derive(Debug, Default)]
pub(super) struct StagesOfImport {
    /// Waiting for the parser.
    pub(super) parse: Stage,
    /// Waiting for the system of record.
    pub(super) look_up: Stage,
    /// Waiting for a batch that was looked up.
    pub(super) wait: Stage,
    /// Reading what the journal knows, and deciding.
    pub(super) decide: Stage,
    /// Appending to the journal.
    pub(super) append: Stage,
}

impl std::ops::Deref for Stages {
    type Target = StagesOfImport;

    fn deref(&self) -> &StagesOfImport {
        &self.0
    }
}
