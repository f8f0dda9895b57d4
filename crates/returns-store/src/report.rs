//! What of an import is in the bucket, and what its report is written from.

use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::follower::RowException;
use returns_model::hold::HoldRecord;
use returns_model::import::RejectedLine;
use returns_model::journal::JournalRow;
use returns_model::report::{ArchivedFile, FilesFault, FilesRecord, WrittenReport};

use crate::{DuplicateLine, PrenoteLine, StoreError};

/// The files of imports, and what is left to be done for them.
#[async_trait]
pub trait FilesStore: Send + Sync {
    /// Imports whose files have something left to be done, oldest first, from `after` (time
    /// and id) on.
    async fn unfinished_files(
        &self,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, String)>, StoreError>;
    /// What of an import is in the bucket. An unknown import has nothing there.
    async fn files_of(&self, import_id: &str) -> Result<FilesRecord, StoreError>;
    /// Records where a file was archived. False when that is recorded already, maybe
    /// by another replica: what was recorded first stays.
    async fn record_archive(
        &self,
        import_id: &str,
        archive: &ArchivedFile,
    ) -> Result<bool, StoreError>;
    /// Records the report of an import. False when one is recorded already: it stays.
    async fn record_report(
        &self,
        import_id: &str,
        report: &WrittenReport,
    ) -> Result<bool, StoreError>;
    /// Records why an attempt was without success; a fault of the same area keeps its first time.
    async fn record_files_fault(
        &self,
        import_id: &str,
        fault: &FilesFault,
    ) -> Result<(), StoreError>;
    /// Records that nothing stands in the way any more.
    async fn clear_files_fault(&self, import_id: &str) -> Result<(), StoreError>;
    /// How many imports have a fault of this area.
    async fn files_with_fault(&self, area: &str) -> Result<u64, StoreError>;
    /// Marks an import's files as done: archived, and then rejected whole, or applied and with
    /// a report that ties out. False when it is not so.
    async fn finish_files(&self, import_id: &str) -> Result<bool, StoreError>;
}

/// What reports are written from.
#[async_trait]
pub trait ReportStore: Send + Sync {
    /// Those rows of an import that were appended when their entry was first decided, in
    /// order, after a position. Their entries are in the order of the file. Rows that
    /// supersede or repeat others, or came from a hold, are left out.
    async fn first_rows(
        &self,
        import_id: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;
    /// The rows at some positions, in order.
    async fn rows_at(&self, positions: &[u64]) -> Result<Vec<JournalRow>, StoreError>;
    /// What did not take effect at some positions, with the database's name.
    async fn exceptions_at(
        &self,
        positions: &[u64],
    ) -> Result<Vec<(String, RowException)>, StoreError>;
    /// Every hold of some entries of an import, in any state, in the order of the file.
    async fn holds_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<HoldRecord>, StoreError>;
    /// The duplicates among some entries of an import, in the order of the file.
    async fn duplicates_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DuplicateLine>, StoreError>;
    /// The returned prenotes among some entries of an import, in the order of the file.
    async fn prenotes_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<PrenoteLine>, StoreError>;
    /// The unreadable lines among some of an import, in the order of the file.
    async fn rejected_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<RejectedLine>, StoreError>;
}
