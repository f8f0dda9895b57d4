//! One run: list the source, take what is complete, wait until it is applied and reported,
//! archive it at the acquirer, and report what came of it.
//!
//! Every step may be done again: a file that was taken is known by its name, size and time; the
//! same bytes are one import; a file is archived only after its import is in the journal. So a
//! run whose process died is simply run again by the replica that takes it over.

use chrono::{DateTime, Utc};
use returns_import::{ReceiveError, Source};
use returns_model::import::Totals;
use returns_model::incident::{Area, Cause};
use returns_model::job::{NewRun, SourceState};
use returns_model::plan::Plan;
use returns_model::run_outcome::RunOutcome;
use returns_store::StoreError;
use tokio_util::sync::CancellationToken;

use super::arrival_check;
use super::execute::subject_of;
use super::findings::Findings;
use super::scheduler::Scheduler;
use super::take::{TakenFile, TakenWhen};
use crate::awaited::Awaited;
use crate::error::SourceError;
use crate::listing::Listing;
use crate::location::RemoteLocation;

/// What ends a run before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// What one run works with.
pub(super) struct RunContext<'a> {
    pub(super) jobs: &'a Scheduler,
    pub(super) run: &'a NewRun,
    pub(super) source: &'a Source,
    pub(super) location: &'a RemoteLocation,
    pub(super) state: &'a SourceState,
    pub(super) plan: Option<&'a Plan>,
    pub(super) stop: &'a CancellationToken,
}

impl RunContext<'_> {
    /// Does the run. What it finds is in `findings`, also when it fails halfway.
    pub(super) async fn run(&self, findings: &mut Findings) -> Result<(), RunError> {
        let earlier = self.earlier_imports().await?;
        let mut taken = Vec::new();
        let awaited = Awaited::default();
        let fetching = self.fetch(&awaited, findings, &mut taken);
        let fetched = self.with_silence_reported(&awaited, fetching).await;
        if !(earlier.is_empty() && taken.is_empty()) {
            self.report_at_once(&fetched, &taken, findings).await?;
        }
        // What was taken before the line broke is brought to its end all the same.
        self.await_imports(&earlier, &taken, findings).await?;
        let archiving = self.archive_remote(&awaited, &taken, findings);
        self.with_silence_reported(&awaited, archiving).await?;
        let listing = fetched?;
        arrival_check::judge(self, &listing, &taken, findings).await?;
        Ok(())
    }

    /// Reports what was observed at the source before this run waits for imports, which may take
    /// an hour. At its end it is reported again, and counts as the same incident.
    async fn report_at_once(
        &self,
        fetched: &Result<Listing, RunError>,
        taken: &[TakenFile],
        findings: &Findings,
    ) -> Result<(), StoreError> {
        let source = &self.source.name;
        let report = |subject, cause: &Cause, outcome, findings: &Findings| {
            let jobs = self.jobs;
            let retry_at = jobs.retry_at(self.state, self.plan, outcome, findings);
            let next_try_at = jobs.next_try_at(self.state, retry_at);
            jobs.report(self.run, subject, cause, None, next_try_at);
        };
        let of_source = |cause: &Cause, outcome| {
            report(subject_of(cause, source), cause, outcome, findings);
        };
        for finding in &findings.files {
            if let Some(cause) = &finding.cause {
                of_source(cause, finding.file.outcome);
            }
        }
        match fetched {
            Err(RunError::Store(store)) if store.is_outage() => {}
            Err(error) => of_source(&error.cause(), error.outcome()),
            // A file that was taken just now must be read before it is known whose it is.
            Ok(listing) if taken.iter().all(|file| file.when == TakenWhen::Before) => {
                let mut early = Findings {
                    refused: findings.refused.clone(),
                    ..Findings::default()
                };
                arrival_check::judge(self, listing, taken, &mut early).await?;
                if let Some(absence) = &early.presence {
                    let subject = absence.subject(source);
                    report(subject, &absence.cause, early.outcome(), &early);
                }
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// What earlier runs left unfinished, and what this very run took before its process died:
    /// a run that is taken over reports all its files, also those that are archived by now.
    async fn earlier_imports(&self) -> Result<Vec<String>, StoreError> {
        let (store, source) = (self.store(), &self.source.name);
        let mut imports = store.unfinished_imports(source).await?;
        for import_id in store.taken_since(source, self.run.started_at).await? {
            if !imports.contains(&import_id) {
                imports.push(import_id);
            }
        }
        Ok(imports)
    }

    pub(super) fn store(&self) -> &dyn returns_store::Store {
        &*self.jobs.store
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.jobs.clock.now()
    }
}

/// Whether entries of an import wait for a person.
pub(super) fn has_exceptions(totals: &Totals) -> bool {
    totals.held.count > 0 || totals.rejected.count > 0
}

impl RunError {
    /// The cause of the incident.
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::Store(error) => Cause::StoreUnreachable { why: error.why() },
            Self::Source(error) => error.cause(),
        }
    }

    /// What the run comes to.
    pub(super) fn outcome(&self) -> RunOutcome {
        match self.cause().area() {
            Area::Disk | Area::Store => RunOutcome::StoreUnreachable,
            Area::Content => RunOutcome::FileRejected,
            _ => RunOutcome::SourceUnreachable,
        }
    }
}

/// What can go wrong once a file is in the spool: the store, or the spool itself.
impl From<ReceiveError> for RunError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Store(error) => Self::Store(error),
            ReceiveError::Spool(error) => Self::Source(error.into()),
            error @ (ReceiveError::TooLarge { .. } | ReceiveError::Cut) => {
                Self::Source(SourceError::Refused {
                    what: "to receive the file".to_owned(),
                    why: error.to_string(),
                })
            }
        }
    }
}
