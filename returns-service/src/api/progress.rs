//! Whether a database has something already.

use std::collections::HashMap;

use echeck_proto::returns::v1 as proto;
use returns_model::follower::Progress;
use returns_model::ids;
use returns_model::journal::Relation;
use returns_store::{ImportProgress, StandingRow};

use super::Api;
use super::errors::ApiError;

impl Api {
    /// How far a database is. `lacking` is how much of what it has passed has no effect there.
    /// Without `complete`, more rows may come, so that none has everything.
    fn database_progress(
        database: &str,
        progress: ImportProgress,
        complete: bool,
        lacking: u64,
    ) -> proto::DatabaseProgress {
        let state = if complete && progress.passed == progress.rows {
            if lacking > 0 {
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
            exceptions: lacking,
            fault: progress.fault.unwrap_or_default(),
        }
    }

    /// How far each database is with an import, the system of record first. What that did not
    /// take is in no mirror either.
    pub(super) async fn import_databases(
        &self,
        import: &mut proto::Import,
    ) -> Result<(), ApiError> {
        let complete = match import.state() {
            // Nothing of it reaches a database.
            proto::ImportState::Rejected => return Ok(()),
            proto::ImportState::Checking | proto::ImportState::Deciding => false,
            proto::ImportState::Unspecified
            | proto::ImportState::Decided
            | proto::ImportState::Applied
            | proto::ImportState::DryRun => true,
        };
        let leading = &self.decider.gateway.database;
        let mut exceptions = 0;
        for database in self.databases.iter() {
            let import_id = &import.import_id;
            let progress = self.store.import_progress(import_id, database).await?;
            exceptions += progress.exceptions;
            let mut lacking = 0;
            if exceptions > 0 {
                let both = [leading.clone(), database.clone()];
                lacking = self.store.entries_without_effect(import_id, &both).await?;
            }
            import.first_position = progress.first_position;
            import.last_position = progress.last_position;
            let progress = Self::database_progress(database, progress, complete, lacking);
            import.databases.push(progress);
        }
        Ok(())
    }

    /// Whether every database has a journal row. Only a row that a database refused needs more than
    /// `progress`.
    pub(super) async fn databases_of(
        &self,
        found: &StandingRow,
        progress: &HashMap<String, Progress>,
    ) -> Result<Vec<proto::DatabaseProgress>, ApiError> {
        let position = found.row.position;
        if !found.exceptions.is_empty() {
            return self.databases_at(position).await;
        }
        let databases = self.databases.iter().map(|database| {
            let reached = progress.get(database).cloned().unwrap_or_default();
            Self::database_progress(database, reached_one(reached, position), true, 0)
        });
        Ok(databases.collect())
    }

    /// Whether every database has the journal row at `position`.
    async fn databases_at(&self, position: u64) -> Result<Vec<proto::DatabaseProgress>, ApiError> {
        let refused = self.refused(&self.decider.gateway.database, position);
        let refused = refused.await?;
        let mut databases = Vec::with_capacity(self.databases.len());
        for database in self.databases.iter() {
            let reached = self.store.progress(database).await?;
            let (last, lacks) = self.last_repeat(database, position).await?;
            let progress = reached_one(reached, last);
            let lacking = u64::from(refused || lacks);
            databases.push(Self::database_progress(database, progress, true, lacking));
        }
        Ok(databases)
    }

    async fn refused(&self, database: &str, position: u64) -> Result<bool, ApiError> {
        let after = position.saturating_sub(1);
        let exceptions = self.store.exceptions(database, after, position).await?;
        Ok(!exceptions.is_empty())
    }

    /// Where a row was last repeated for a database that had refused it, and whether the database
    /// refuses it still.
    async fn last_repeat(&self, database: &str, position: u64) -> Result<(u64, bool), ApiError> {
        let mut last = position;
        while self.refused(database, last).await? {
            let hold_id = ids::exception_hold_id(database, last);
            let hold = self.store.hold(&hold_id).await?;
            let Some(again) = hold.and_then(|hold| hold.resolved_position) else {
                return Ok((last, true));
            };
            // The release of what the row made may be repeated after it, in the same append.
            let rows = [again.saturating_sub(1), again];
            let rows = self.store.rows_at(&rows).await?;
            let repeat = rows.iter().find(|row| match &row.row.relation {
                Some(Relation::Repeats { position, .. }) => {
                    *position == last && !row.row.effect.is_release()
                }
                Some(Relation::Supersedes { .. } | Relation::Follows { .. }) | None => false,
            });
            match repeat {
                Some(repeat) if repeat.position > last => last = repeat.position,
                Some(_) | None => return Ok((last, true)),
            }
        }
        Ok((last, false))
    }
}

/// How far a database is with one row.
fn reached_one(reached: Progress, position: u64) -> ImportProgress {
    ImportProgress {
        rows: 1,
        passed: u64::from(reached.position >= position),
        fault: reached.fault.map(|fault| fault.what),
        ..ImportProgress::default()
    }
}
