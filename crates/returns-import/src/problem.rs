//! Reports to the incidents that an import is stalled, and that it recovered.

use std::time::Duration;

use echeck_service::ErrorChain;
use returns_model::incident::{Area, Cause, Problem, Subject};

use super::check::CheckError;
use super::decide::DecideError;
use super::worker::{ImportError, Importer};

impl Importer {
    /// Reports what stops an import; it is tried again after `pause`. Gives whether that is the
    /// database that decides.
    pub(super) async fn report(
        &self,
        import_id: &str,
        error: &ImportError,
        pause: Duration,
    ) -> bool {
        let Some((subject, cause)) = self.cause(import_id, error) else {
            return false;
        };
        let is_database = matches!(subject, Subject::Database(_));
        let source = match self.decider.store.import(import_id).await {
            Ok(Some(import)) => Some(import.new.source),
            Ok(None) | Err(_) => None,
        };
        let now = self.clock.now();
        let pause = chrono::TimeDelta::from_std(pause).unwrap_or_default();
        self.incidents.report(Problem {
            source,
            import_id: Some(import_id.to_owned()),
            next_try_at: now.checked_add_signed(pause),
            ..Problem::new(subject, cause, now)
        });
        is_database
    }

    /// Reports that the database which decides answers again, unless its feed is stalled for another
    /// reason.
    pub(super) async fn report_database_available(&self) {
        let (now, database) = (self.clock.now(), &self.decider.gateway.database);
        let progress = self.decider.store.progress(database).await;
        if progress.is_ok_and(|progress| progress.fault.is_none()) {
            let subject = Subject::Database(database.clone());
            self.incidents.clear(subject, Area::Target, now);
        }
    }

    /// The cause and its subject. A database that is unavailable is the same problem for every
    /// import and for its feed. That the returns database is at fault is reported by its watch, once
    /// for all.
    fn cause(&self, import_id: &str, error: &ImportError) -> Option<(Subject, Cause)> {
        let adapter = match error {
            ImportError::Store(store) | ImportError::Decide(DecideError::Store(store)) => {
                return (!store.is_outage()).then(|| stuck(import_id, error));
            }
            ImportError::Decide(DecideError::Adapter(adapter))
            | ImportError::Check(CheckError::Adapter(adapter)) => adapter,
            ImportError::Check(CheckError::Read(_) | CheckError::ParserGone)
            | ImportError::Read(_)
            | ImportError::Gone { .. }
            | ImportError::NoSource { .. }
            | ImportError::ReadsDifferently { .. } => return Some(stuck(import_id, error)),
        };
        if adapter.is_outage() {
            let database = self.decider.gateway.database.clone();
            return Some((Subject::Database(database), adapter.cause(true)));
        }
        // It is available, and refuses only this: the feed, which continues, must not clear it.
        Some(stuck(import_id, error))
    }

    /// Reports that an import continues. Without an incident it means nothing.
    pub(super) fn report_recovered(&self, import_id: &str) {
        let subject = Subject::Import(import_id.to_owned());
        self.incidents
            .clear(subject, Area::Import, self.clock.now());
    }
}

fn stuck(import_id: &str, error: &ImportError) -> (Subject, Cause) {
    let why = ErrorChain(error).to_string();
    (
        Subject::Import(import_id.to_owned()),
        Cause::ImportStuck { why },
    )
}
