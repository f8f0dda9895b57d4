//! What came of a run, and what began it.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// What came of a run. In order: of several files of one run, the worst counts.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", const_into_str)]
pub enum RunOutcome {
    /// No file was there and none was due, or the file says that there are no returns.
    NoActivity,
    /// The bytes were known already.
    DuplicateFile,
    /// Applied everywhere and reported.
    Completed,
    /// The same, and entries wait for a person.
    CompletedWithExceptions,
    /// Applied, but the file came after it was due.
    FileLate,
    /// A file was due, but not there.
    FileMissing,
    /// The archive or the report is not in the bucket.
    ReportFailed,
    /// The file was rejected as a whole.
    FileRejected,
    /// A database does not accept what was decided.
    TargetFailed,
    /// The acquirer's server could not be used.
    SourceUnreachable,
    /// The returns database or the spool could not be used.
    StoreUnreachable,
}

impl RunOutcome {
    /// Its name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Whether trying again soon may help. The plan says how often a missing file is searched; one
    /// that was rejected is searched at the next slot.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Trigger {
    /// A slot of the cron expression.
    Schedule,
    /// The last of the slots that passed while the service was down.
    CatchUp,
    /// A file's due time and grace are over.
    Due,
    /// An earlier run failed.
    Retry,
    /// A person.
    Manual,
}

impl Trigger {
    /// Its name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
