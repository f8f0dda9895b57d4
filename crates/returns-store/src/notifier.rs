//! How one step wakes the next within this process, so that nobody has to poll. A wake-up that is
//! missed does no harm: every step also looks by the clock, since other replicas wake nobody here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What has changed in the returns database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A file was received.
    Received,
    /// An import went on, or cannot go on.
    Import,
    /// The journal has new rows.
    Journal,
    /// A database has passed rows, or its feed is stalled or recovered.
    Database,
    /// A hold was opened, closed or changed.
    Hold,
    /// Events, or messages that are due.
    Message,
    /// An archive or a report.
    Report,
    /// A run or a source of the daily job.
    Job,
}

/// How many topics there are.
const TOPICS: usize = Topic::Job as usize + 1;

/// How often each topic has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen([u64; TOPICS]);

impl Seen {
    fn differs(&self, now: &Self, topics: &[Topic]) -> bool {
        let differs = |topic: &Topic| self.0[*topic as usize] != now.0[*topic as usize];
        topics.iter().any(differs)
    }
}

/// Wakes those in this process who wait for a change.
#[derive(Debug, Clone)]
pub struct Notifier(Arc<watch::Sender<Seen>>);

impl Notifier {
    /// A notifier that has seen nothing.
    #[expect(clippy::new_without_default, reason = "there is one of a process")]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Seen::default())))
    }

    /// A file was received: the import begins.
    pub fn file_received(&self) {
        self.changed(Topic::Received);
    }

    /// An import was accepted, rejected, brought further or stopped: those who watch it see it.
    pub fn import_changed(&self) {
        self.changed(Topic::Import);
    }

    /// Rows were appended: the system of record is fed.
    pub fn journal_appended(&self) {
        self.changed(Topic::Journal);
    }

    /// A database has passed rows: the mirrors are fed, events are published, transfers are
    /// released to settlement, the report is written. Or its feed is stalled or recovered.
    pub fn database_changed(&self) {
        self.changed(Topic::Database);
    }

    /// A hold was opened, closed or changed: platforms are notified.
    pub fn hold_changed(&self) {
        self.changed(Topic::Hold);
    }

    /// Messages to platforms are due, or an endpoint has changed: the sender sends.
    pub fn messages_due(&self) {
        self.changed(Topic::Message);
    }

    /// An archive or a report is in the bucket: the run that waits for it continues.
    pub fn report_written(&self) {
        self.changed(Topic::Report);
    }

    /// A run or a source was changed: the scheduler looks again.
    pub fn job_changed(&self) {
        self.changed(Topic::Job);
    }

    fn changed(&self, topic: Topic) {
        self.0.send_modify(|seen| {
            let count = &mut seen.0[topic as usize];
            *count = count.wrapping_add(1);
        });
    }

    /// What to hand to [`Notifier::wait`]; read it before looking at the database.
    pub fn seen(&self) -> Seen {
        *self.0.borrow()
    }

    /// Waits for a change of one of `topics` after `seen`, at most `longest`, or for `stop`.
    pub async fn wait(
        &self,
        seen: Seen,
        topics: &[Topic],
        longest: Duration,
        stop: &CancellationToken,
    ) {
        let mut receiver = self.0.subscribe();
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(longest) => {}
            // The sender lives as long as self, so this ends only with a change.
            _ = receiver.wait_for(|now| seen.differs(now, topics)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_topics_that_are_waited_for_wake() {
        let notifier = Notifier::new();
        let stop = CancellationToken::new();
        let seen = notifier.seen();
        notifier.journal_appended();
        let short = Duration::from_millis(1);
        let before = tokio::time::Instant::now();
        notifier.wait(seen, &[Topic::Hold], short, &stop).await;
        assert!(before.elapsed() >= short, "nothing happened to holds");
        let long = Duration::from_secs(3600);
        let topics = [Topic::Hold, Topic::Journal];
        notifier.wait(seen, &topics, long, &stop).await;
    }
}
