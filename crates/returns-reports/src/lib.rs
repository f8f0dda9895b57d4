#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod archive;
pub mod bucket;
mod bucket_watch;
mod columns;
mod csv_escaping;
mod keys;
mod line;
mod line_status;
mod lines;
mod outcome;
mod problems;
mod read_back;
mod render;
mod reporter;
mod rules;
mod silence;
mod totals;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use returns_import::SpoolError;
use returns_model::incident::Cause;
use returns_store::StoreError;

use crate::bucket::BucketError;

pub use bucket_watch::BucketWatch;
pub use reporter::{Reporter, ReporterJob, RetryPauses};
pub use write::ReportSummary;

/// Why an import's files are not where they belong yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The report could not be written to the disk of this machine.
    #[error("the report could not be written to {path}", path = path.display())]
    Scratch {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// What was read back is not what was written.
    #[error("the report {key:?} reads back from the bucket differently: {what}")]
    Wrong { key: String, what: String },
    /// Something of the import is still on its way to a database. It is not a fault.
    #[error("journal row {position} has not reached the database {database:?} yet")]
    OnItsWay { database: String, position: u64 },
    /// Every key that could be tried has other bytes under it.
    #[error("the report has no free key: {last:?} and all before it are taken")]
    NoFreeKey { last: String },
    /// The report could not be made from what there is.
    #[error("the report could not be made: {0}")]
    Unmakable(String),
}

impl ReportError {
    /// The cause of the incident; `None` when it is only a matter of time.
    pub(crate) fn cause(&self) -> Option<Cause> {
        let cause = match self {
            Self::OnItsWay { .. } => return None,
            Self::Store(error @ StoreError::Unreadable { .. }) => Cause::ImportStuck {
                why: format!("its report could not be made: {error}"),
            },
            Self::Store(error) => Cause::StoreUnreachable { why: error.why() },
            Self::Bucket(error) => error.cause(),
            Self::Spool(SpoolError::Io { path, what, source }) => disk(
                path,
                source,
                format!("a file could not be {what}: {source}"),
            ),
            Self::Spool(SpoolError::Full { path, .. }) => Cause::DiskFull {
                path: path.display().to_string(),
            },
            Self::Spool(error @ (SpoolError::Key { .. } | SpoolError::BadIdentity(_))) => {
                Cause::SpoolFailed {
                    path: String::new(),
                    why: error.to_string(),
                }
            }
            Self::Scratch { path, source } => disk(path, source, source.to_string()),
            Self::Wrong { key, what } => Cause::ReportWrong {
                key: key.clone(),
                what: what.clone(),
            },
            Self::NoFreeKey { last } => Cause::ReportWrong {
                key: last.clone(),
                what: "it and all editions before it have other content".to_owned(),
            },
            Self::Unmakable(why) => Cause::ImportStuck {
                why: format!("its report could not be made: {why}"),
            },
        };
        Some(cause)
    }
}

fn disk(path: &std::path::Path, error: &std::io::Error, why: String) -> Cause {
    use std::io::ErrorKind;
    let path = path.display().to_string();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Cause::DiskFull { path },
        _ => Cause::SpoolFailed { path, why },
    }
}
