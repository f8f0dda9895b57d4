//! Archiving files at the acquirer, once their imports are in the journal.

use returns_model::import::Phase;
use returns_store::{StoreError, failpoint};

use super::findings::Findings;
use super::run::RunContext;
use super::take::TakenFile;
use crate::awaited::Awaited;
use crate::error::SourceError;
use crate::listing::RemoteFile;
use crate::location::After;
use crate::session::Session;

impl RunContext<'_> {
    /// Moves or deletes at the acquirer what is in the journal, as the settings say.
    /// What the acquirer does not let us move stops nothing else: it is reported, and the run
    /// continues.
    pub(super) async fn archive_remote(
        &self,
        awaited: &Awaited,
        taken: &[TakenFile],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        if self.location.after == After::Leave {
            return Ok(());
        }
        let mut session: Option<Session> = None;
        // The imports of one archive are side by side.
        for files in taken.chunk_by(|one, next| one.file == next.file) {
            let Some(TakenFile { file, .. }) = files.first() else {
                continue;
            };
            if self.stop.is_cancelled() || !self.are_committed(files).await? {
                continue;
            }
            failpoint("job::before_archive_remote").await?;
            match self.archive_one(&mut session, file, awaited).await {
                Ok(()) => {
                    failpoint("job::after_archive_remote").await?;
                    for TakenFile { key, .. } in files {
                        self.store().record_remote_archival(key, self.now()).await?;
                    }
                }
                Err(error) => {
                    tracing::warn!(source = self.source.name, file_name = ?file.name, error = %error, "a file cannot be archived at the acquirer");
                    findings.not_archived.get_or_insert(error.cause());
                }
            }
        }
        if let Some(session) = session {
            session.close().await;
        }
        Ok(())
    }

    async fn archive_one(
        &self,
        session: &mut Option<Session>,
        file: &RemoteFile,
        awaited: &Awaited,
    ) -> Result<(), SourceError> {
        let session = match session {
            Some(session) => session,
            none => none.insert(self.location.open_watched(awaited).await?),
        };
        session.archive_remote(file).await.map(drop)
    }

    async fn are_committed(&self, files: &[TakenFile]) -> Result<bool, StoreError> {
        for file in files {
            if !self.is_committed(&file.import_id).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all of an import is in the journal. A refused file stays where it is, so that people
    /// can examine it.
    async fn is_committed(&self, import_id: &str) -> Result<bool, StoreError> {
        let import = self.store().import(import_id).await?;
        Ok(import.is_some_and(|import| {
            matches!(import.phase, Phase::Decided { .. } | Phase::Applied { .. })
        }))
    }
}
