//! Putting files away at the acquirer, once their imports are in the journal.

use returns_model::import::Phase;
use returns_store::{StoreError, failpoint};

use super::findings::Findings;
use super::run::RunContext;
use super::take::TakenFile;
use crate::error::SourceError;
use crate::location::After;
use crate::session::Session;

impl RunContext<'_> {
    /// Moves or deletes at the acquirer what is in the journal, as the settings say.
    /// What the acquirer does not let us move keeps nothing else from being right: it is told,
    /// and the run goes on.
    pub(super) async fn archive_remote(
        &self,
        taken: &[TakenFile],
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        if self.location.after == After::Leave {
            return Ok(());
        }
        let mut session: Option<Session> = None;
        for file in taken {
            if self.stop.is_cancelled() || !self.is_committed(&file.import_id).await? {
                continue;
            }
            failpoint("job::before_put_away").await?;
            match self.put_one_away(&mut session, file).await {
                Ok(()) => {
                    failpoint("job::after_put_away").await?;
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
            none => none.insert(self.location.open().await?),
        };
        session.archive_remote(&file.file).await.map(drop)
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
