//! A request to the bucket waits as long as its time-out lets it. People are notified earlier.

use echeck_service::ErrorChain;
use returns_model::import::ImportRecord;
use tokio::time::{sleep, timeout};

use super::ReportError;
use super::reporter::{FilesProgress, Reporter, ReporterMemory};

impl Reporter {
    /// Continues an import. When that takes a while, the bucket is asked for something small
    /// meanwhile; if it does not answer that either, it is reported.
    pub(super) async fn advance_watched(
        &self,
        import: &ImportRecord,
        memory: &mut ReporterMemory,
    ) -> Result<FilesProgress, ReportError> {
        tokio::select! {
            advanced = self.advance(import) => advanced,
            never = self.report_silence(import, memory) => match never {},
        }
    }

    async fn report_silence(
        &self,
        import: &ImportRecord,
        memory: &mut ReporterMemory,
    ) -> std::convert::Infallible {
        loop {
            sleep(self.patience / 6).await;
            // What it answers, an upload hears too.
            if timeout(self.patience, self.bucket.list_some())
                .await
                .is_ok()
            {
                continue;
            }
            let cause = self.bucket.silent(self.patience).cause();
            if let Err(error) = self.report_problem(import, cause, None, memory).await {
                tracing::error!(error = %ErrorChain(&error), "a silent bucket cannot be recorded");
            }
            return std::future::pending().await;
        }
    }
}
