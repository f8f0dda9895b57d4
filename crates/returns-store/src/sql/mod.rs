//! The returns database: each subject's statements in a file of their own.

use crate::db::Database;

mod alerts;
mod incidents;
mod remote_files;
mod runs;
mod sources;

/// The returns database on either kind of server.
pub(crate) struct SqlStore {
    pub(crate) db: Database,
}
