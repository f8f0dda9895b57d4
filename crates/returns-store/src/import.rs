//! Files, and what became of them.

use std::collections::HashMap;

use ach::format::FileRejected;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::import::{Checked, ImportRecord, NewImport, PhaseName, Received, RejectedLine};

use crate::StoreError;

/// How far a database is with an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportProgress {
    pub rows: u64,
    pub passed: u64,
    pub exceptions: u64,
    pub first_position: u64,
    pub last_position: u64,
    /// Why the database's feed is stalled, if it is.
    pub fault: Option<String>,
}

/// Which imports to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportFilter {
    pub source: Option<String>,
    pub phase: Option<PhaseName>,
    /// Received at this time or later.
    pub received_from: Option<DateTime<Utc>>,
    /// Received before this time.
    pub received_before: Option<DateTime<Utc>>,
    /// Received before this one (time and id).
    pub before: Option<(DateTime<Utc>, String)>,
}

/// Imports in the returns database.
#[async_trait]
pub trait ImportStore: Send + Sync {
    /// Records a file that was received, unless its bytes are known for that source.
    async fn receive(&self, new: NewImport) -> Result<Received, StoreError>;
    /// One import.
    async fn import(&self, import_id: &str) -> Result<Option<ImportRecord>, StoreError>;
    /// Imports, newest first.
    async fn imports(
        &self,
        filter: &ImportFilter,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError>;
    /// How many imports each source has.
    async fn imports_per_source(&self) -> Result<HashMap<String, u64>, StoreError>;
    /// Those of these files in the spool that an import names.
    async fn spool_files_named(&self, names: &[String]) -> Result<Vec<String>, StoreError>;
    /// How many imports are neither refused nor applied by every database.
    async fn count_unfinished_imports(&self) -> Result<u64, StoreError>;
    /// Refuses a file that is being checked.
    async fn reject_import(
        &self,
        import_id: &str,
        why: &FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Accepts a file that was being checked. One without entries has nothing to decide, so it
    /// is decided with its check.
    async fn accept_import(
        &self,
        import_id: &str,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// The lines of an import that could not be read, in order, those after the entry or line
    /// `after`.
    async fn rejected_lines(
        &self,
        import_id: &str,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RejectedLine>, StoreError>;
    /// Marks decided imports as applied whose rows every one of `databases` has passed.
    /// Gives the ids of those it marked.
    async fn finish_imports(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError>;
    /// How many entries of an import have no effect in one of `databases` as it stands: a row of
    /// theirs was not taken there, and that is not handled yet or waits for a person.
    async fn entries_without_effect(
        &self,
        import_id: &str,
        databases: &[String],
    ) -> Result<u64, StoreError>;
    /// How many journal rows of an import `database` has passed, how many of them did not
    /// take effect, and how many there are.
    async fn import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError>;
}
