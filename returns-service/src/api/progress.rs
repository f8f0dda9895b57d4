//! Whether a database has something already.

use echeck_proto::returns::v1 as proto;
use returns_store::ImportProgress;

use super::Api;
use super::errors::ApiError;

impl Api {
    pub(super) fn database_progress(
        database: &str,
        progress: ImportProgress,
    ) -> proto::DatabaseProgress {
        let state = if progress.passed == progress.rows {
            if progress.exceptions > 0 {
                proto::DatabaseState::Exception
            } else {
                proto::DatabaseState::Applied
            }
        } else if progress.fault.is_some() {
            proto::DatabaseState::Fault
        } else {
            proto::DatabaseState::Pending
        };
        proto::DatabaseProgress {
            database: database.to_owned(),
            state: state.into(),
            rows_passed: progress.passed,
            exceptions: progress.exceptions,
            fault: progress.fault.unwrap_or_default(),
        }
    }

    /// Whether every database has the journal row at `position`.
    pub(super) async fn databases_at(
        &self,
        position: u64,
    ) -> Result<Vec<proto::DatabaseProgress>, ApiError> {
        let mut databases = Vec::with_capacity(self.databases.len());
        for database in self.databases.iter() {
            let store = &self.store;
            let reached = store.progress(database).await?;
            let exceptions = store
                .exceptions(database, position.saturating_sub(1), position)
                .await?;
            let progress = ImportProgress {
                rows: 1,
                passed: u64::from(reached.position >= position),
                exceptions: exceptions.len() as u64,
                first_position: position,
                last_position: position,
                fault: reached.fault.map(|fault| fault.what),
            };
            databases.push(Self::database_progress(database, progress));
        }
        Ok(databases)
    }
}
