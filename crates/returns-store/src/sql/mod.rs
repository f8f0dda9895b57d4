//! The returns database: each subject's statements in a file of their own.

use crate::db::Database;

mod adoptions;
mod append;
mod append_rows;
mod dishonor;
mod followers;
mod holds;
mod imports;
mod journal;
mod leases;
mod owners;
mod settle;

/// The returns database on either kind of server.
pub(crate) struct SqlStore {
    pub(crate) db: Database,
}
