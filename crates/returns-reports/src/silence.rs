//! A request to the bucket waits as long as its time-out lets it. People are notified earlier.

use returns_model::import::ImportRecord;
use returns_model::incident::{Area, Problem, Subject};
use tokio::time::{sleep, timeout};

use super::ReportError;
use super::reporter::{FilesProgress, Reporter};

impl Reporter {
    /// Continues an import. When that takes a while, the bucket is asked for something small
    /// meanwhile; if it does not answer that either, it is reported.
    pub(super) async fn advance_watched(
        &self,
        import: &ImportRecord,
    ) -> Result<FilesProgress, ReportError> {
        let mut reported = false;
        let advanced = tokio::select! {
            advanced = self.advance(import) => advanced,
            never = self.report_silence(import, &mut reported) => match never {},
        };
        if reported && advanced.is_ok() {
            let now = self.clock.now();
            self.incidents.clear(Subject::Bucket, Area::Bucket, now);
        }
        advanced
    }

    async fn report_silence(
        &self,
        import: &ImportRecord,
        reported: &mut bool,
    ) -> std::convert::Infallible {
        let half = self.patience / 2;
        loop {
            sleep(half).await;
            let asked = timeout(half, self.bucket.list_some()).await;
            let error = match asked {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => error,
                Err(_) => self.bucket.silent(half),
            };
            self.incidents.report(Problem {
                source: Some(import.new.source.clone()),
                import_id: Some(import.import_id.clone()),
                ..Problem::new(Subject::Bucket, error.cause(), self.clock.now())
            });
            *reported = true;
            return std::future::pending().await;
        }
    }
}
