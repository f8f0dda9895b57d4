//! The returns database: each subject's statements in a file of their own.
use crate::db::Database;

mod alerts;
mod incidents;

/// The returns database on either kind of server.
pub(crate) struct SqlStore {
    pub(crate) db: Database,
}
