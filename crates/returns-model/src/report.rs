//! What of an import is in the bucket, and what its report is written from.

use chrono::{DateTime, Utc};

/// A received file in the bucket, as it was read back from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedFile {
    pub key: String,
    /// Of the object's bytes, which are encrypted; in hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
    pub at: DateTime<Utc>,
}

/// A report in the bucket, as it was read back from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenReport {
    pub key: String,
    /// In hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
    /// Lines without the header.
    pub rows: u64,
    /// The object that has the totals.
    pub totals_key: String,
    /// What that object says: JSON.
    pub totals: String,
    /// Whether everything in the file is accounted for.
    pub ties_out: bool,
    pub at: DateTime<Utc>,
}

/// Why an import's files are not where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesFault {
    pub what: String,
    /// What it takes away, as `incident::Area` spells it.
    pub area: String,
    pub since: DateTime<Utc>,
}

/// What of an import is in the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilesRecord {
    pub archive: Option<ArchivedFile>,
    pub report: Option<WrittenReport>,
    /// How often it was tried without success.
    pub attempts: u64,
    /// Why the last attempt failed; `None` when it did not.
    pub fault: Option<FilesFault>,
    /// Whether nothing is left to do.
    pub done: bool,
}
