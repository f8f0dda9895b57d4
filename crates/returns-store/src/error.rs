//! What can go wrong with the returns database.

use echeck_service::ErrorChain;
use echeck_service::failpoint::Tripped;

use crate::outage::{self, Outage};

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

impl StoreError {
    /// What is wrong, for people: with what the server's code means, where its own words leave
    /// that open.
    pub fn why(&self) -> String {
        match self {
            Self::Unusable(why) => why.clone(),
            Self::Database { source, .. } => {
                outage::told(source).unwrap_or_else(|| ErrorChain(self).to_string())
            }
            Self::Unreadable { .. } => self.to_string(),
        }
    }

    /// Whether the database is at fault, and not a row or a statement of ours. Its watch reports
    /// that, once for all who meet it.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unusable(_) => true,
            Self::Database { source, .. } => Outage::of(source).is_some(),
            Self::Unreadable { .. } => false,
        }
    }

    /// Whether a lock was not given in time.
    pub(crate) fn is_of_a_lock(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        let code = source.as_database_error().and_then(|error| error.code());
        code.as_deref() == Some("55P03")
    }

    /// Whether it is an outage that another statement may not meet.
    pub(crate) fn is_of_a_statement(&self) -> bool {
        let Self::Database { source, .. } = self else {
            return false;
        };
        matches!(Outage::of(source), Some(Outage::Statement(_)))
    }
}

impl From<Tripped> for StoreError {
    fn from(tripped: Tripped) -> Self {
        Self::Database {
            what: "get past a failpoint",
            source: sqlx::Error::Protocol(tripped.to_string()),
        }
    }
}
