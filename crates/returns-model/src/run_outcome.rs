//! What came of a run, and what began it.

use serde::{Deserialize, Serialize};

/// What came of a run. In order: of several files of one run, the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunOutcome {
    /// Nothing was there, and nothing was due; or the file says that there is nothing.
    NoActivity,
    /// The bytes were known already.
    DuplicateFile,
    /// Applied everywhere and reported.
    Completed,
    /// The same, and entries wait for a person.
    CompletedWithExceptions,
    /// Applied, but the file came after it was due.
    FileLate,
    /// Due, and not there.
    FileMissing,
    /// The archive or the report is not in the bucket.
    ReportFailed,
    /// Refused whole.
    FileRejected,
    /// A database does not take what was decided.
    TargetFailed,
    /// The acquirer's server could not be used.
    SourceUnreachable,
    /// The returns database or the spool could not be used.
    StoreUnreachable,
}

impl RunOutcome {
    pub const ALL: [Self; 11] = [
        Self::NoActivity,
        Self::DuplicateFile,
        Self::Completed,
        Self::CompletedWithExceptions,
        Self::FileLate,
        Self::FileMissing,
        Self::ReportFailed,
        Self::FileRejected,
        Self::TargetFailed,
        Self::SourceUnreachable,
        Self::StoreUnreachable,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoActivity => "NO_ACTIVITY",
            Self::DuplicateFile => "DUPLICATE_FILE",
            Self::Completed => "COMPLETED",
            Self::CompletedWithExceptions => "COMPLETED_WITH_EXCEPTIONS",
            Self::FileLate => "FILE_LATE",
            Self::FileMissing => "FILE_MISSING",
            Self::ReportFailed => "REPORT_FAILED",
            Self::FileRejected => "FILE_REJECTED",
            Self::TargetFailed => "TARGET_FAILED",
            Self::SourceUnreachable => "SOURCE_UNREACHABLE",
            Self::StoreUnreachable => "STORE_UNREACHABLE",
        }
    }

    /// Whether trying again soon may help. How often a file that is missing is looked for is
    /// up to the plan; one that was refused is looked for at the next slot.
    pub const fn is_worth_a_retry(self) -> bool {
        match self {
            Self::ReportFailed
            | Self::TargetFailed
            | Self::SourceUnreachable
            | Self::StoreUnreachable => true,
            Self::NoActivity
            | Self::DuplicateFile
            | Self::Completed
            | Self::CompletedWithExceptions
            | Self::FileLate
            | Self::FileMissing
            | Self::FileRejected => false,
        }
    }
}

/// What began a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A slot of the cron expression.
    Schedule,
    /// The last of the slots that passed while nobody was there to run them.
    CatchUp,
    /// A file's due time and grace are over.
    Due,
    /// An earlier run did not go well.
    Retry,
    /// A person.
    Manual,
}

impl Trigger {
    pub const ALL: [Self; 5] = [
        Self::Schedule,
        Self::CatchUp,
        Self::Due,
        Self::Retry,
        Self::Manual,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::CatchUp => "catch_up",
            Self::Due => "due",
            Self::Retry => "retry",
            Self::Manual => "manual",
        }
    }
}
