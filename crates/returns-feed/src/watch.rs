//! Watching an adapter and its target, also while there is nothing to feed. A call of the feed may
//! wait for half a minute; this is the alarm that does not.

use std::sync::Arc;
use std::time::Duration;

use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_store::sleep;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Feed;
use crate::target::check;

/// How often they are checked while all is well.
const EVERY: Duration = Duration::from_secs(2);

/// How soon they are checked again after a check that failed, until people are notified.
const AGAIN: Duration = Duration::from_millis(250);

/// Watches the adapter of a feed.
pub struct AdapterWatch {
    feed: Arc<Feed>,
    /// How long checks may fail before people are notified.
    patience: Duration,
    failing_since: Option<Instant>,
}

impl AdapterWatch {
    /// Watches the adapter of `feed`.
    pub fn new(feed: Arc<Feed>, patience: Duration) -> Self {
        Self {
            feed,
            patience,
            failing_since: None,
        }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let began = Instant::now();
            let checks = tokio::select! {
                checks = check(&self.feed.adapter, self.feed.role) => checks,
                () = stop.cancelled() => return,
            };
            let pause = match checks.iter().find_map(|check| check.failure()) {
                Some(cause) => {
                    let since = *self.failing_since.get_or_insert(began);
                    if since.elapsed() >= self.patience {
                        self.report(cause);
                        EVERY
                    } else {
                        AGAIN
                    }
                }
                None => {
                    self.failing_since = None;
                    self.report_available().await;
                    EVERY
                }
            };
            sleep(pause, &stop).await;
        }
    }

    fn report(&self, cause: &Cause) {
        let now = self.feed.clock.now();
        let problem = Problem::new(self.subject(), cause.clone(), now);
        self.feed.incidents.report(problem);
    }

    /// Ends what was reported of the target, unless its feed is stalled: that may have a reason
    /// which no check sees.
    async fn report_available(&self) {
        let progress = self.feed.store.progress(self.feed.database()).await;
        if progress.is_ok_and(|progress| progress.fault.is_none()) {
            let now = self.feed.clock.now();
            self.feed.incidents.clear(self.subject(), Area::Target, now);
        }
    }

    fn subject(&self) -> Subject {
        Subject::Database(self.feed.database().to_owned())
    }
}
