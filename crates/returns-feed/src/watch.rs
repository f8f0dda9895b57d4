//! Watching an adapter and its target, also while there is nothing to feed. A call of the feed may
//! wait for half a minute; this is the alarm that does not. One replica does it at a time: another
//! may have a line that is down.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use returns_alerts::diagnosis::PATIENCE;
use returns_alerts::{Lasting, Vitals};
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_store::{Job, Lease, Pass, Topic};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Feed;
use crate::target::check;

/// How often they are checked while all is well, and after people were notified.
const EVERY: Duration = Duration::from_secs(2);

/// How soon they are checked again after a check that failed, until people are notified.
const AGAIN: Duration = Duration::from_millis(250);

/// Watches the adapter of a feed.
pub struct AdapterWatch {
    feed: Arc<Feed>,
    vitals: Vitals,
    /// How long a check may take.
    within: Duration,
    lasting: Lasting,
    /// Whether an incident may be open that this watch, or the one before it, has reported.
    reported: bool,
}

impl AdapterWatch {
    /// Watches the adapter of `feed`, and notifies people when checks have failed for `patience`.
    pub fn new(feed: Arc<Feed>, vitals: Vitals, patience: Duration) -> Self {
        Self {
            feed,
            vitals,
            within: patience.max(PATIENCE),
            lasting: Lasting::new(patience),
            reported: true,
        }
    }

    fn failed(&mut self, cause: &Cause, began: Instant) -> Duration {
        if !self.lasting.failed(began) {
            return AGAIN;
        }
        self.vitals.lacks(&self.lease(), &cause.headline());
        let problem = Problem::new(self.subject(), cause.clone(), self.feed.clock.now());
        self.feed.incidents.report(problem);
        self.reported = true;
        EVERY
    }

    /// Ends what was reported, unless the feed is stalled: that may have a reason which no check sees.
    async fn passed(&mut self, began_at: chrono::DateTime<chrono::Utc>) {
        self.lasting.passed();
        self.vitals.has(&self.lease());
        if !self.reported {
            return;
        }
        let progress = self.feed.store.progress(self.feed.database()).await;
        if progress.is_ok_and(|progress| progress.fault.is_none()) {
            let subject = self.subject();
            self.feed.incidents.clear(subject, Area::Target, began_at);
            self.reported = false;
        }
    }

    fn subject(&self) -> Subject {
        Subject::Database(self.feed.database().to_owned())
    }
}

impl Job for AdapterWatch {
    type Error = Infallible;

    fn lease(&self) -> String {
        format!("watch of the adapter of {}", self.feed.database())
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    async fn begin(&mut self) {
        self.lasting.passed();
        self.reported = true;
    }

    fn leave(&mut self) {
        self.vitals.has(&self.lease());
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, Infallible> {
        let (began, began_at) = (Instant::now(), self.feed.clock.now());
        let checks = check(&self.feed.adapter, self.feed.role, self.within).await;
        let pause = match checks.iter().find_map(|check| check.failure()) {
            Some(cause) => self.failed(cause, began),
            None => {
                self.passed(began_at).await;
                EVERY
            }
        };
        Ok(Pass::Idle(pause))
    }
}
