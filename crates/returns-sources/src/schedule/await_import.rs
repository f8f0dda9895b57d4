//! What becomes of a run's imports: it waits until each is at its end, or reports its obstacle.

use std::time::Duration;

use returns_model::import::{ImportRecord, Phase};
use returns_model::job::RemoteKey;
use returns_model::run_outcome::RunOutcome;
use returns_store::{StoreError, Topic};

use super::findings::{FileFinding, Findings};
use super::run::RunContext;
use super::take::{TakenFile, TakenWhen};
use crate::location::After;

/// How long an import may have an obstacle before the run reports it and ends. The import
/// continues; a shorter hiccup does not count.
const HICCUP: Duration = Duration::from_secs(2);

/// What became of an import, as far as a run waits for it.
enum ImportEnd {
    /// Applied everywhere, and reported where reports are written.
    Finished(Box<ImportRecord>),
    /// Refused whole.
    Rejected {
        why: String,
        wrong_profile: Option<String>,
    },
    /// It has an obstacle; it continues by itself.
    Stuck { outcome: RunOutcome, why: String },
    /// The service stops, or another replica has the run.
    Left,
}

impl RunContext<'_> {
    /// Waits for this run's imports, and for those that earlier runs left unfinished.
    pub(super) async fn await_imports(
        &self,
        earlier: &[String],
        taken: &[TakenFile],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        for file in taken {
            let waited_for = match file.when {
                TakenWhen::Now => true,
                // Its import is not at its end: a run that failed in between had recorded it, or
                // somebody sends the same bytes by a call. It is archived only after that.
                TakenWhen::Duplicate if earlier.contains(&file.import_id) => true,
                TakenWhen::Duplicate => {
                    findings
                        .files
                        .push(FileFinding::duplicate(&file.key, &file.import_id));
                    false
                }
                // One that was refused is still there, and still refused. Any other that should
                // have been archived belongs to a run that failed.
                TakenWhen::Before => {
                    earlier.contains(&file.import_id)
                        || self.location.after != After::Leave
                        || self.is_rejected(&file.import_id).await?
                }
            };
            if waited_for {
                self.wait_for(&file.import_id, Some(&file.key), findings)
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
        file: Option<&RemoteKey>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        match self.end_of(import_id).await? {
            ImportEnd::Finished(import) => {
                let lacking = self.lacking(import_id).await?;
                let finding = FileFinding::finished(&import, &lacking);
                findings.files.push(finding);
            }
            ImportEnd::Rejected { why, wrong_profile } => {
                let (name, size_bytes) = self.name_and_size(import_id, file).await?;
                let configured = self.source.format_name();
                findings.files.push(FileFinding::rejected(
                    import_id,
                    (&name, size_bytes),
                    why,
                    wrong_profile.map(|looks_like| (configured.to_owned(), looks_like)),
                ));
            }
            ImportEnd::Stuck { outcome, why } => {
                let (name, size_bytes) = self.name_and_size(import_id, file).await?;
                let import_id = Some(import_id);
                // What is in its way was reported by the one that observed it.
                let finding = FileFinding::of(&name, size_bytes, import_id, outcome, why);
                findings.files.push(finding);
            }
            ImportEnd::Left => findings.left = true,
        }
        Ok(())
    }

    /// How many entries of an import have no effect in which database. What the system of record
    /// did not take is in no mirror either.
    async fn lacking(&self, import_id: &str) -> Result<Vec<(&str, u64)>, StoreError> {
        let databases = &self.jobs.databases;
        let mut lacking = Vec::new();
        for database in databases {
            let both = [databases.first().unwrap_or(database), database].map(Clone::clone);
            let count = self
                .store()
                .entries_without_effect(import_id, &both)
                .await?;
            if count > 0 {
                lacking.push((database.as_str(), count));
            }
        }
        Ok(lacking)
    }

    /// A file's name and size: as they are at the acquirer, or else as its import has them.
    async fn name_and_size(
        &self,
        import_id: &str,
        file: Option<&RemoteKey>,
    ) -> Result<(String, u64), StoreError> {
        if let Some(file) = file {
            return Ok((file.name.clone(), file.size_bytes));
        }
        let import = self.store().import(import_id).await?;
        Ok(import.map_or_else(Default::default, |import| {
            (import.new.file_name, import.new.size_bytes)
        }))
    }

    /// Waits until an import is at its end, or has had an obstacle for longer than a hiccup.
    async fn end_of(&self, import_id: &str) -> Result<ImportEnd, StoreError> {
        let mut stuck_since = None;
        while !self.stop.is_cancelled() {
            let seen = self.jobs.notifier.seen();
            let Some(import) = self.store().import(import_id).await? else {
                return Err(StoreError::Unreadable {
                    place: format!("imports {import_id}"),
                    what: "the import is gone".to_owned(),
                });
            };
            match &import.phase {
                Phase::Rejected { why, .. } => {
                    return Ok(ImportEnd::Rejected {
                        why: why.to_string(),
                        wrong_profile: why.looks_like.clone(),
                    });
                }
                Phase::Applied { .. } if self.is_reported(import_id).await? => {
                    return Ok(ImportEnd::Finished(Box::new(import)));
                }
                Phase::Checking
                | Phase::Deciding { .. }
                | Phase::Decided { .. }
                | Phase::Applied { .. } => {}
            }
            match self.obstacle_of(&import).await? {
                None => stuck_since = None,
                Some((outcome, why)) => {
                    let since = *stuck_since.get_or_insert_with(tokio::time::Instant::now);
                    if since.elapsed() >= HICCUP {
                        return Ok(ImportEnd::Stuck { outcome, why });
                    }
                }
            }
            let topics = [Topic::Import, Topic::Database, Topic::Report];
            let longest = Duration::from_millis(500);
            let notifier = &self.jobs.notifier;
            notifier.wait(seen, &topics, longest, self.stop).await;
        }
        Ok(ImportEnd::Left)
    }

    async fn is_reported(&self, import_id: &str) -> Result<bool, StoreError> {
        if !self.jobs.reports {
            return Ok(true);
        }
        Ok(self.store().files_of(import_id).await?.report.is_some())
    }

    /// What keeps an import from its end.
    async fn obstacle_of(
        &self,
        import: &ImportRecord,
    ) -> Result<Option<(RunOutcome, String)>, StoreError> {
        if let Some(why) = self.jobs.faults.of(&import.import_id) {
            return Ok(Some((RunOutcome::TargetFailed, why)));
        }
        for database in &self.jobs.databases {
            let progress = self
                .store()
                .import_progress(&import.import_id, database)
                .await?;
            if let Some(why) = progress.fault
                && progress.passed < progress.rows
            {
                return Ok(Some((RunOutcome::TargetFailed, why)));
            }
        }
        if self.jobs.reports
            && let Some(fault) = self.store().files_of(&import.import_id).await?.fault
        {
            return Ok(Some((RunOutcome::ReportFailed, fault.what)));
        }
        Ok(None)
    }
}
