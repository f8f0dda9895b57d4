//! What can go wrong with the returns database.

use echeck_service::failpoint::Tripped;

/// What can go wrong with the returns database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer, or refused a statement.
    #[error("the returns database failed to {what}")]
    Database {
        /// What was being done: "read a hold".
        what: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what this program never writes.
    #[error("the returns database holds something unreadable in {place}: {what}")]
    Unreadable {
        /// Table and key.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The settings of the database lose data, or its address is not valid.
    #[error("the returns database cannot be used: {0}")]
    Unusable(String),
}

impl From<Tripped> for StoreError {
    fn from(tripped: Tripped) -> Self {
        Self::Database {
            what: "get past a failpoint",
            source: sqlx::Error::Protocol(tripped.to_string()),
        }
    }
}
