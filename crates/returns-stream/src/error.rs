//! What stops publishing, and the cause that people are told.

use returns_model::incident::Cause;
use returns_store::StoreError;

use crate::StreamSettings;

/// Why the next rows are not in the stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No server of the cluster answers, or lets us in.
    #[error("{0}")]
    Unreachable(String),
    /// The stream cannot be used, or does not take a row.
    #[error("{0}")]
    Refused(String),
    /// What is in the stream is not of this journal.
    #[error("{0}")]
    Foreign(String),
}

impl StreamError {
    /// The cause; `None` when it is the returns database's, which others report.
    pub(crate) fn cause(&self, settings: &StreamSettings) -> Option<Cause> {
        let stream = settings.stream.clone();
        match self {
            Self::Store(_) => None,
            Self::Unreachable(why) => Some(Cause::StreamUnreachable {
                servers: settings.servers_told(),
                why: why.clone(),
            }),
            Self::Refused(why) => Some(Cause::StreamFailed {
                stream,
                why: why.clone(),
            }),
            Self::Foreign(why) => Some(Cause::StreamForeign {
                stream,
                why: why.clone(),
            }),
        }
    }
}
