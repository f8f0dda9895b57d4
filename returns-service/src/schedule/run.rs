//! One run: look at the source, take what is complete, wait until it is applied and reported,
//! put it away at the acquirer, and say what came of it.
//!
//! Every step may be done again: a file that was taken is known by its name, size and time; the
//! same bytes are one import; a file is put away only after its import is in the journal. So a
//! run whose process died is simply run again by whoever takes it over.

use std::time::Duration;

use ach::format::Emptiness;
use chrono::{DateTime, Utc};
use echeck_service::failpoint;
use echeck_service::planted::{self, Bug};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::findings::{Finding, Findings};
use super::jobs::Jobs;
use super::plan::Plan;
use super::{Outcome, presence};
use crate::chain::Chain;
use crate::import::{ReceiveError, record};
use crate::incident::{Area, Cause, Subject};
use crate::source::{After, Pickup, RemoteFile, Session, Source, SourceError, Stock};
use crate::store::{
    ImportRecord, NewRun, Phase, Received, RemoteKey, SourceState, StoreError, Totals,
};

/// How long something may stand in an import's way before the run says so and ends. The import
/// goes on; a shorter hiccup is none.
const HICCUP: Duration = Duration::from_secs(2);

/// What ends a run before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// What one run works with.
pub(super) struct Work<'a> {
    pub(super) jobs: &'a Jobs,
    pub(super) run: &'a NewRun,
    pub(super) source: &'a Source,
    pub(super) pickup: &'a Pickup,
    pub(super) state: &'a SourceState,
    pub(super) plan: Option<&'a Plan>,
    pub(super) stop: &'a CancellationToken,
}

/// A file at the acquirer, with the import that it became.
struct TakenFile {
    file: RemoteFile,
    key: RemoteKey,
    import_id: String,
    what: TakenWhen,
    put_away: bool,
}

/// When a file was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TakenWhen {
    /// By this run.
    Now,
    /// By an earlier one.
    Before,
    /// By this run, but its bytes were known.
    Duplicate,
}

/// What became of an import, as far as a run waits for it.
enum Fate {
    /// Applied everywhere, and reported where reports are written.
    Finished(Box<ImportRecord>),
    /// Refused whole.
    Rejected {
        why: String,
        wrong_profile: Option<String>,
    },
    /// Something stands in its way; it goes on by itself.
    Stuck { outcome: Outcome, why: String },
    /// The service stops, or another replica has the run.
    Left,
}

impl Work<'_> {
    /// Does the run. What it finds is in `findings`, also when it fails halfway.
    pub(super) async fn run(&self, findings: &mut Findings) -> Result<(), RunError> {
        let earlier = self.imports_of_before().await?;
        let mut taken = Vec::new();
        let fetched = self.fetch(findings, &mut taken).await;
        // What was taken before the line broke is brought to its end all the same.
        self.bring_to_an_end(&earlier, &taken, findings).await?;
        self.put_away(&taken, findings).await?;
        let stock = fetched?;
        presence::judge(self, &stock, findings).await?;
        Ok(())
    }

    /// What earlier runs left unfinished, and what this very run took before its process died:
    /// whoever takes a run over tells of all its files, also of those that are put away by now.
    async fn imports_of_before(&self) -> Result<Vec<String>, StoreError> {
        let (store, source) = (self.store(), &self.source.name);
        let mut imports = store.unfinished_imports(source).await?;
        for import_id in store.taken_since(source, self.run.started_at).await? {
            if !imports.contains(&import_id) {
                imports.push(import_id);
            }
        }
        Ok(imports)
    }

    pub(super) fn store(&self) -> &dyn crate::store::Store {
        &*self.jobs.importer.store
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.jobs.importer.clock.now()
    }

    pub(super) fn subject(&self) -> Subject {
        Subject::Source(self.source.name.clone())
    }

    /// Takes every file that is complete. One that does not come holds up no other; the first
    /// such failure is the fetch's own at the end.
    async fn fetch(
        &self,
        findings: &mut Findings,
        taken: &mut Vec<TakenFile>,
    ) -> Result<Stock, RunError> {
        let mut session = self.pickup.open().await?;
        let stock = session.take_stock().await?;
        let mut first_failure = None;
        // Where a file without bytes is how they say that there is nothing, it is one like any.
        let empty = stock.empty.iter().filter(|_| self.may_be_empty());
        for file in stock.complete.iter().chain(empty) {
            if self.stop.is_cancelled() {
                break;
            }
            match self.take(&mut session, file).await {
                Ok(file) => taken.push(file),
                // It was still written, or renamed, while we looked: the next run takes it.
                Err(RunError::Source(
                    SourceError::Growing { .. } | SourceError::Vanished { .. },
                )) => {}
                Err(RunError::Source(error)) if error.cause().area() == Area::Content => {
                    findings.add(Finding::refused(file, &error));
                }
                Err(RunError::Source(error)) if error.cause().area() == Area::Reach => {
                    tracing::warn!(source = self.source.name, file_name = ?file.name, error = %error, "a file does not come");
                    // The line may be broken, so the others come over a new one. Where there is
                    // none to be had, what broke first tells more than that.
                    let first = first_failure.get_or_insert(error);
                    session = self.pickup.open().await.map_err(|_| first.clone())?;
                }
                Err(error) => return Err(error),
            }
        }
        session.close().await;
        match first_failure {
            Some(error) => Err(error.into()),
            None => Ok(stock),
        }
    }

    /// Whether a file without bytes is right for this source.
    pub(super) fn may_be_empty(&self) -> bool {
        self.source.allow_empty.contains(&Emptiness::NoBytes)
    }

    /// Takes a file, unless it was taken before.
    async fn take(&self, session: &mut Session, file: &RemoteFile) -> Result<TakenFile, RunError> {
        let key = RemoteKey {
            source: self.source.name.clone(),
            name: file.name.text(),
            size_bytes: file.size_bytes,
            // A server that tells no time tells files apart by name and size alone.
            modified_at: file.modified_at.unwrap_or(DateTime::UNIX_EPOCH),
        };
        if let Some(taken) = self.store().taken(&key).await? {
            return Ok(TakenFile {
                file: file.clone(),
                key,
                import_id: taken.import_id,
                what: TakenWhen::Before,
                put_away: taken.put_away_at.is_some(),
            });
        }
        trip("job::before_fetch").await?;
        let importer = &self.jobs.importer;
        let (nonce, limit) = (Uuid::new_v4(), self.jobs.max_file_bytes);
        let new = session
            .fetch(
                file,
                &importer.spool,
                self.source,
                limit,
                nonce,
                &importer.clock,
            )
            .await?;
        if planted::has(Bug::RemoteArchivedBeforeCommit) {
            session.put_away(file).await?;
        }
        trip("job::after_fetch").await?;
        let received = record(self.store(), &importer.spool, new).await?;
        importer.changes.bump();
        let (import, known) = match received {
            Received::New(import) => (import, false),
            Received::Known(import) => {
                let known = self.is_known_by_another(&import, &key).await?;
                (import, known)
            }
        };
        trip("job::after_record").await?;
        self.store()
            .record_taken(&key, &import.import_id, self.now())
            .await?;
        trip("job::after_taken").await?;
        tracing::info!(
            source = self.source.name,
            file_name = ?file.name,
            import_id = import.import_id,
            size_bytes = file.size_bytes,
            known,
            "file taken"
        );
        Ok(TakenFile {
            file: file.clone(),
            key,
            import_id: import.import_id,
            what: if known {
                TakenWhen::Duplicate
            } else {
                TakenWhen::Now
            },
            put_away: false,
        })
    }

    /// Whether the bytes of a file were known before it came. They were not when this run, or one
    /// that failed right then, recorded the import and did not get to keep that it has the file.
    async fn is_known_by_another(
        &self,
        import: &ImportRecord,
        key: &RemoteKey,
    ) -> Result<bool, StoreError> {
        let received_at = import.new.received_at;
        if received_at >= self.run.started_at {
            return Ok(false);
        }
        let taken = self.store().taken_since(&key.source, received_at).await?;
        Ok(import.new.file_name != key.name || taken.contains(&import.import_id))
    }

    /// Waits for this run's imports, and for those that earlier runs left unfinished.
    async fn bring_to_an_end(
        &self,
        earlier: &[String],
        taken: &[TakenFile],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        for file in taken {
            let waited_for = match file.what {
                TakenWhen::Now => true,
                // Its import is not at its end: a run that failed in between had recorded it, or
                // somebody sends the same bytes by a call. It is put away only after that.
                TakenWhen::Duplicate if earlier.contains(&file.import_id) => true,
                TakenWhen::Duplicate => {
                    findings.add(Finding::duplicate(&file.file, &file.import_id));
                    false
                }
                // One that was refused is still there, and still refused. Any other that should
                // have been put away belongs to a run that came to nothing.
                TakenWhen::Before => {
                    earlier.contains(&file.import_id)
                        || (self.pickup.after != After::Leave && !file.put_away)
                        || self.is_rejected(&file.import_id).await?
                }
            };
            if waited_for {
                self.wait_for(&file.import_id, Some(&file.file), findings)
                    .await?;
            }
        }
        for import_id in earlier {
            if !taken.iter().any(|file| file.import_id == *import_id) {
                self.wait_for(import_id, None, findings).await?;
            }
        }
        Ok(())
    }

    async fn is_rejected(&self, import_id: &str) -> Result<bool, StoreError> {
        let import = self.store().import(import_id).await?;
        Ok(import.is_some_and(|import| matches!(import.phase, Phase::Rejected { .. })))
    }

    async fn wait_for(
        &self,
        import_id: &str,
        file: Option<&RemoteFile>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        match self.fate(import_id).await? {
            Fate::Finished(import) => findings.add(Finding::finished(&import)),
            Fate::Rejected { why, wrong_profile } => {
                let name = self.file_name(import_id, file).await?;
                let configured = self.source.format_name();
                findings.add(Finding::rejected(
                    import_id,
                    (&name, file.map_or(0, |file| file.size_bytes)),
                    why,
                    wrong_profile.map(|looks_like| (configured.to_owned(), looks_like)),
                ));
            }
            Fate::Stuck { outcome, why } => {
                let name = self.file_name(import_id, file).await?;
                findings.add(Finding::stuck(import_id, &name, outcome, why));
            }
            Fate::Left => findings.left = true,
        }
        Ok(())
    }

    async fn file_name(
        &self,
        import_id: &str,
        file: Option<&RemoteFile>,
    ) -> Result<String, StoreError> {
        if let Some(file) = file {
            return Ok(file.name.text());
        }
        let import = self.store().import(import_id).await?;
        Ok(import.map_or_else(String::new, |import| import.new.file_name))
    }

    /// Waits until an import is at its end, or something stands in its way for longer than a
    /// hiccup.
    async fn fate(&self, import_id: &str) -> Result<Fate, StoreError> {
        let mut in_the_way_since = None;
        while !self.stop.is_cancelled() {
            let seen = self.jobs.importer.changes.version();
            let Some(import) = self.store().import(import_id).await? else {
                return Err(StoreError::Unreadable {
                    place: format!("imports {import_id}"),
                    what: "the import is gone".to_owned(),
                });
            };
            match &import.phase {
                Phase::Rejected { why, .. } => {
                    return Ok(Fate::Rejected {
                        why: why.to_string(),
                        wrong_profile: why.looks_like.clone(),
                    });
                }
                Phase::Applied { .. } if self.is_reported(import_id).await? => {
                    return Ok(Fate::Finished(Box::new(import)));
                }
                Phase::Checking
                | Phase::Deciding { .. }
                | Phase::Decided { .. }
                | Phase::Applied { .. } => {}
            }
            match self.in_the_way(&import).await? {
                None => in_the_way_since = None,
                Some((outcome, why)) => {
                    let since = *in_the_way_since.get_or_insert_with(tokio::time::Instant::now);
                    if since.elapsed() >= HICCUP {
                        return Ok(Fate::Stuck { outcome, why });
                    }
                }
            }
            let changes = &self.jobs.importer.changes;
            changes
                .wait(seen, Duration::from_millis(500), self.stop)
                .await;
        }
        Ok(Fate::Left)
    }

    async fn is_reported(&self, import_id: &str) -> Result<bool, StoreError> {
        if !self.jobs.reports {
            return Ok(true);
        }
        Ok(self.store().files_of(import_id).await?.report.is_some())
    }

    /// What stands in an import's way.
    async fn in_the_way(
        &self,
        import: &ImportRecord,
    ) -> Result<Option<(Outcome, String)>, StoreError> {
        if let Some(why) = self.jobs.importer.fault(&import.import_id) {
            return Ok(Some((Outcome::TargetFailed, why)));
        }
        for database in &self.jobs.databases {
            let progress = self
                .store()
                .import_progress(&import.import_id, database)
                .await?;
            if let Some(why) = progress.fault
                && progress.passed < progress.rows
            {
                return Ok(Some((Outcome::TargetFailed, why)));
            }
        }
        if self.jobs.reports
            && let Some(fault) = self.store().files_of(&import.import_id).await?.fault
        {
            return Ok(Some((Outcome::ReportFailed, fault.what)));
        }
        Ok(None)
    }

    /// Moves or deletes at the acquirer what is in the journal, as the settings say.
    /// What the acquirer does not let us move keeps nothing else from being right: it is told,
    /// and the run goes on.
    async fn put_away(
        &self,
        taken: &[TakenFile],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        if self.pickup.after == After::Leave {
            return Ok(());
        }
        let mut session: Option<Session> = None;
        for file in taken.iter().filter(|file| !file.put_away) {
            if self.stop.is_cancelled() || !self.is_committed(&file.import_id).await? {
                continue;
            }
            trip("job::before_put_away").await?;
            match self.put_one_away(&mut session, file).await {
                Ok(()) => {
                    trip("job::after_put_away").await?;
                    self.store().record_put_away(&file.key, self.now()).await?;
                }
                Err(error) => {
                    tracing::warn!(source = self.source.name, file_name = ?file.file.name, error = %error, "a file cannot be put away");
                    findings.not_put_away.get_or_insert(error.cause());
                }
            }
        }
        if let Some(session) = session {
            session.close().await;
        }
        Ok(())
    }

    async fn put_one_away(
        &self,
        session: &mut Option<Session>,
        file: &TakenFile,
    ) -> Result<(), SourceError> {
        let session = match session {
            Some(session) => session,
            none => none.insert(self.pickup.open().await?),
        };
        session.put_away(&file.file).await.map(drop)
    }

    /// Whether all of an import is in the journal. A refused file stays where it is, for people
    /// to look at.
    async fn is_committed(&self, import_id: &str) -> Result<bool, StoreError> {
        let import = self.store().import(import_id).await?;
        Ok(import.is_some_and(|import| {
            matches!(import.phase, Phase::Decided { .. } | Phase::Applied { .. })
        }))
    }
}

/// Whether entries of an import wait for a person.
pub(super) fn has_exceptions(totals: &Totals) -> bool {
    totals.held.count > 0 || totals.rejected.count > 0
}

impl RunError {
    /// The cause, as far as the error tells it.
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::Store(error) => Cause::StoreUnreachable {
                why: Chain(error).to_string(),
            },
            Self::Source(error) => error.cause(),
        }
    }

    /// What the run comes to.
    pub(super) fn outcome(&self) -> Outcome {
        match self.cause().area() {
            Area::Disk | Area::Store => Outcome::StoreUnreachable,
            Area::Content => Outcome::FileRejected,
            Area::Reach
            | Area::Presence
            | Area::Bucket
            | Area::Target
            | Area::Import
            | Area::Alerting
            | Area::Clock => Outcome::SourceUnreachable,
        }
    }
}

/// What can go wrong once a file is in the spool: the store, or the spool itself.
impl From<ReceiveError> for RunError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Store(error) => Self::Store(error),
            ReceiveError::Spool(error) => Self::Source(error.into()),
            error @ ReceiveError::TooLarge { .. } => Self::Source(SourceError::Refused {
                what: "to receive the file".to_owned(),
                why: error.to_string(),
            }),
        }
    }
}

/// A point at which the crash campaign makes a run fail.
async fn trip(point: &'static str) -> Result<(), StoreError> {
    Ok(failpoint::hit(point).await?)
}
