//! A run waits as long as its source's time-outs let it. People are notified earlier.

use std::time::{Duration, Instant};

use returns_model::incident::Cause;

use super::execute::subject_of;
use super::run::RunContext;
use crate::awaited::Awaited;
use crate::location::LocationKind;

/// How often it is checked whether an answer is overdue.
const TICK: Duration = Duration::from_millis(100);

impl RunContext<'_> {
    /// Does some work, and meanwhile reports each answer that is awaited for longer than people may
    /// be left in the dark. What the work comes to is reported at the run's end, as the same
    /// incident or as its recovery.
    pub(super) async fn with_silence_reported<T>(
        &self,
        awaited: &Awaited,
        work: impl Future<Output = T>,
    ) -> T {
        tokio::select! {
            done = work => done,
            never = self.report_silence(awaited) => match never {},
        }
    }

    async fn report_silence(&self, awaited: &Awaited) -> std::convert::Infallible {
        let mut reported: Option<Instant> = None;
        loop {
            tokio::time::sleep(TICK).await;
            if let Some(crawl) = awaited.take_crawl() {
                self.report_early(&Cause::DownloadSlow {
                    name: crawl.name,
                    bytes_per_second: crawl.bytes_per_second,
                    least: crawl.least,
                });
            }
            let overdue = awaited.overdue(self.jobs.patience);
            let (Some((answer, since, waited)), LocationKind::Sftp(server)) =
                (overdue, &self.location.kind)
            else {
                continue;
            };
            if reported.replace(since) != Some(since) {
                self.report_early(&server.unanswered(&answer, waited).cause());
            }
        }
    }

    fn report_early(&self, cause: &Cause) {
        let subject = subject_of(cause, &self.source.name);
        self.jobs.report(self.run, subject, cause, None, None);
    }
}
