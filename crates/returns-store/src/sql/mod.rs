//! The returns database: each subject's statements in a file of their own.

use crate::db::Database;

mod alerts;
mod delivery;
mod event;
mod event_writes;
mod holds;
mod incidents;
mod journal;
mod remote_files;
mod report;
mod runs;
mod sources;
mod webhook;

/// The returns database on either kind of server.
pub(crate) struct SqlStore {
    pub(crate) db: Database,
}
