//! What becomes of a run's imports: it waits until each is at its end, or tells what stands in
//! the way.

use std::time::Duration;

use returns_model::import::{ImportRecord, Phase};
use returns_model::run_outcome::RunOutcome;
use returns_store::{StoreError, Topic};

use super::findings::{Finding, Findings};
use super::run::RunContext;
use super::take::{TakenFile, TakenWhen};
use crate::listing::RemoteFile;
use crate::location::After;

/// How long something may stand in an import's way before the run says so and ends. The import
/// goes on; a shorter hiccup is none.
const HICCUP: Duration = Duration::from_secs(2);

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
    Stuck { outcome: RunOutcome, why: String },
    /// The service stops, or another replica has the run.
    Left,
}

impl RunContext<'_> {
    /// Waits for this run's imports, and for those that earlier runs left unfinished.
    pub(super) async fn bring_to_an_end(
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
                        || self.location.after != After::Leave
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
            let seen = self.jobs.notifier.seen();
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
            let topics = [Topic::Import, Topic::Database, Topic::Report];
            let longest = Duration::from_millis(500);
            let notifier = &self.jobs.notifier;
            notifier.wait(seen, &topics, longest, self.stop).await;
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
