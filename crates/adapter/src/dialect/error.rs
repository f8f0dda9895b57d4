//! What can go wrong in a target.

use echeck_service::failpoint;

/// Why the target did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database is busy, gone or full, and may work later. Nothing that was not committed
    /// has happened.
    #[error("the target database is not available: {0}")]
    Unavailable(String),
    /// The database takes no writes: it is a standby, or an operator has set it so. Nothing that
    /// was not committed has happened.
    #[error("the target database is read-only: {0}")]
    ReadOnly(String),
    /// Another transaction was in the way. Nothing of this one has happened, and it can begin
    /// again at once.
    #[error("the target database is busy: {0}")]
    Conflict(String),
    /// The database will never take this statement with this data. The message may be shown.
    #[error("the target database refused: {0}")]
    Refused(String),
}

impl DbError {
    /// The database's own message.
    pub fn message(&self) -> &str {
        match self {
            Self::Unavailable(message)
            | Self::ReadOnly(message)
            | Self::Conflict(message)
            | Self::Refused(message) => message,
        }
    }
}

/// A failpoint of the crash campaign, whose error is an outage of the target.
pub(crate) async fn failpoint(point: &'static str) -> Result<(), DbError> {
    failpoint::hit(point)
        .await
        .map_err(|error| DbError::Unavailable(error.to_string()))
}
