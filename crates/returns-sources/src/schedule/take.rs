//! Taking files: each complete one goes to the spool and becomes an import, unless it was taken
//! before.

use ach::format::Emptiness;
use chrono::DateTime;
use returns_import::KeptFile;
use returns_model::import::{ImportRecord, Received};
use returns_model::incident::Area;
use returns_model::job::{RemoteKey, Taken};
use returns_store::{StoreError, failpoint};
use uuid::Uuid;

use super::findings::{FileFinding, Findings};
use super::run::{RunContext, RunError};
use crate::awaited::Awaited;
use crate::error::SourceError;
use crate::listing::{Growing, Listing, RemoteFile};
use crate::session::Session;

/// A file at the acquirer, with an import that it became: an archive became several.
pub(super) struct TakenFile {
    pub(super) file: RemoteFile,
    /// An archive's file has its name after the archive's.
    pub(super) key: RemoteKey,
    pub(super) import_id: String,
    pub(super) when: TakenWhen,
}

/// When a file was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenWhen {
    /// By this run.
    Now,
    /// By an earlier one.
    Before,
    /// By this run, but its bytes were known.
    Duplicate,
}

impl RunContext<'_> {
    /// Takes every file that is complete. One that cannot be fetched holds up no other; the first
    /// such failure is the result at the end.
    pub(super) async fn fetch(
        &self,
        awaited: &Awaited,
        findings: &mut Findings,
        taken: &mut Vec<TakenFile>,
    ) -> Result<Listing, RunError> {
        let mut session = self.location.open_watched(awaited).await?;
        findings.let_in = true;
        let mut listing = session.list_complete().await?;
        let mut grown = Vec::new();
        let mut first_failure = None;
        // Where an empty file is how the acquirer says that there are no returns, it counts.
        let empty = listing.empty.iter().filter(|_| self.may_be_empty());
        for file in listing.complete.iter().chain(empty) {
            if self.stop.is_cancelled() {
                break;
            }
            match self.take(&mut session, file).await {
                Ok(files) => {
                    let is_new = |file: &TakenFile| file.when != TakenWhen::Before;
                    findings.spooled |= files.iter().any(is_new);
                    taken.extend(files);
                }
                // It was still written while we fetched it: the next run takes it.
                Err(RunError::Source(SourceError::Growing {
                    name,
                    from_bytes,
                    to_bytes,
                })) => grown.push(Growing {
                    name,
                    from_bytes,
                    to_bytes,
                }),
                // It was renamed or deleted meanwhile. Under its new name the next run takes it.
                Err(RunError::Source(SourceError::Vanished { .. })) => findings.unsettled = true,
                Err(RunError::Source(error)) if error.cause().area() == Area::Content => {
                    findings.refused.push(file.clone());
                    findings
                        .files
                        .push(FileFinding::refused(file, error.cause()));
                }
                Err(RunError::Source(error)) if error.cause().area() == Area::Reach => {
                    tracing::warn!(source = self.source.name, file_name = ?file.name, error = %error, "a file cannot be fetched");
                    // The line may be broken, so the others come over a new one. Where none can be
                    // opened, the first failure says more.
                    let first = first_failure.get_or_insert(error);
                    let opened = self.location.open_watched(awaited).await;
                    session = opened.map_err(|_| first.clone())?;
                }
                Err(error) => return Err(error),
            }
        }
        session.close().await;
        listing.growing.extend(grown);
        findings.unsettled |= !listing.growing.is_empty();
        match first_failure {
            Some(error) => Err(error.into()),
            None => Ok(listing),
        }
    }

    /// Whether a file without bytes is right for this source.
    pub(super) fn may_be_empty(&self) -> bool {
        self.source.allow_empty.contains(&Emptiness::NoBytes)
    }

    /// Takes a file, unless it was taken before. Everything that is done with it is one trace, which
    /// begins here.
    #[tracing::instrument(name = "take", skip_all, fields(source = self.source.name))]
    async fn take(
        &self,
        session: &mut Session,
        file: &RemoteFile,
    ) -> Result<Vec<TakenFile>, RunError> {
        let (size_bytes, limit_bytes) = (file.size_bytes, self.jobs.max_file_bytes);
        // No database holds such a number, so the returns database is not asked about the file.
        if i64::try_from(size_bytes).is_err() {
            let name = file.name.clone();
            return Err(RunError::Source(SourceError::TooLarge {
                name,
                size_bytes,
                limit_bytes,
            }));
        }
        let key = RemoteKey {
            source: self.source.name.clone(),
            name: file.name.text(),
            size_bytes,
            // Without a time, files differ by name and size alone.
            modified_at: file.modified_at.unwrap_or(DateTime::UNIX_EPOCH),
        };
        // One that was archived and is there again may be another: where a server reports no time,
        // tomorrow's file of a fixed name can have today's size. Its bytes decide.
        let known = self.store().taken(&key).await?;
        let is_there = |taken: &Taken| taken.archived_remotely_at.is_none();
        if !known.is_empty() && known.iter().all(is_there) {
            let known = known.into_iter().map(|taken| TakenFile {
                file: file.clone(),
                key: RemoteKey {
                    name: taken.name,
                    ..key.clone()
                },
                import_id: taken.import_id,
                when: TakenWhen::Before,
            });
            return Ok(known.collect());
        }
        failpoint("job::before_fetch").await?;
        let jobs = self.jobs;
        let (nonce, limit) = (Uuid::new_v4(), limit_bytes);
        let kept = session
            .fetch(file, &jobs.spool, self.source, limit, nonce, &jobs.clock)
            .await?;
        failpoint("job::after_fetch").await?;
        let mut files = Vec::new();
        for kept in kept {
            let name = kept.file_name.clone();
            let key = RemoteKey {
                name,
                ..key.clone()
            };
            files.push(self.record_import(file, key, kept).await?);
        }
        failpoint("job::after_record").await?;
        let taken: Vec<(RemoteKey, String)> = files
            .iter()
            .map(|file| (file.key.clone(), file.import_id.clone()))
            .collect();
        self.store().record_taken(&taken, self.now()).await?;
        failpoint("job::after_taken").await?;
        Ok(files)
    }

    /// Records the import of a file that is in the spool.
    async fn record_import(
        &self,
        file: &RemoteFile,
        key: RemoteKey,
        kept: KeptFile,
    ) -> Result<TakenFile, RunError> {
        let size_bytes = kept.size_bytes;
        let received = kept.record(&self.jobs.store).await?;
        self.jobs.notifier.file_received();
        let (import, known) = match received {
            Received::New(import) => (import, false),
            Received::Known(import) => {
                let known = self.is_known_by_another(&import, &key).await?;
                (import, known)
            }
        };
        tracing::info!(
            source = self.source.name,
            file_name = ?key.name,
            import_id = import.import_id,
            size_bytes,
            known,
            "file taken"
        );
        Ok(TakenFile {
            file: file.clone(),
            key,
            import_id: import.import_id,
            when: if known {
                TakenWhen::Duplicate
            } else {
                TakenWhen::Now
            },
        })
    }

    /// Whether the bytes of a file were known before it came. They were not when this run, or one
    /// that failed right then, recorded the import and could not record that it has the file.
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
}
