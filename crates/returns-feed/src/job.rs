//! The worker of a feed: batch after batch from where the target's own cursor stands. After any
//! error the cursor is read again; nothing is ever retried blindly.

use std::sync::Arc;
use std::time::Duration;

use echeck_service::ErrorChain;
use returns_store::{Job, Lease, Pass, StoreError, Topic, failpoint, feed_lease};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::FeedError;
use super::batch::{Fed, FeedTimes};
use super::cursor::FeedCursor;
use super::feed::Feed;

/// How often a feed that has nothing to send asks the target where it is. A target that was
/// restored from a backup would not say so by itself.
const CHECK_EVERY: Duration = Duration::from_secs(3);

/// How long rows that other sessions have locked may hold back a feed before that is an incident.
const BUSY_PATIENCE: Duration = Duration::from_secs(60);

/// When to come back for them.
const BUSY_PAUSE: Duration = Duration::from_millis(500);

/// Feeds one database.
pub struct FeedJob {
    feed: Arc<Feed>,
    /// Where the target stands; `None` until it was asked.
    cursor: Option<TargetCursor>,
    /// Whether a fault may be recorded for this feed, by this replica or by the one before it.
    faulted: bool,
    /// Whether an incident may be open that this feed, or the one before it, has reported.
    was_stalled: bool,
    /// Whether the last batch did not continue where the target had just said that it is.
    mismatched: bool,
    /// Since when locked rows hold it back.
    busy_since: Option<Instant>,
    refusals: Refusals,
    times: FeedTimes,
}

/// What is known of rows that the database refuses and that wait for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusals {
    /// There may be some that were not reported: the replica that fed before may have stopped
    /// before it could.
    Unknown,
    /// They are reported.
    Reported,
    /// There are none.
    None,
}

/// What is known of the target since it was asked last.
struct TargetCursor {
    cursor: FeedCursor,
    asked_at: Instant,
    /// The position that the log has reported.
    logged: u64,
}

impl FeedJob {
    /// The worker of `feed`.
    pub fn new(feed: Arc<Feed>) -> Self {
        Self {
            feed,
            cursor: None,
            faulted: true,
            was_stalled: true,
            mismatched: false,
            busy_since: None,
            refusals: Refusals::Unknown,
            times: FeedTimes::default(),
        }
    }

    async fn feed_once(&mut self, lease: &Lease) -> Result<Pass, FeedError> {
        let feed = self.feed.clone();
        let known = match self.cursor.take() {
            Some(known) => known,
            None => TargetCursor::new(feed.catch_up_with_target().await?),
        };
        let known = self.cursor.insert(known);
        failpoint("feed::before_exceptions").await?;
        if feed.handle_exceptions().await? {
            self.refusals = Refusals::Unknown;
        }
        self.refusals.report(&feed).await?;
        let fed = feed
            .feed_batch(&mut known.cursor, lease, &self.times)
            .await?;
        if self.faulted {
            let position = known.cursor.position;
            tracing::info!(database = feed.database(), position, "the feed recovered");
            self.faulted = !feed.record_fault(lease, None).await;
        }
        if matches!(fed, Fed::Rows) || self.was_stalled {
            feed.report_available();
            self.was_stalled = false;
        }
        failpoint("feed::before_finish").await?;
        feed.finish_imports().await?;
        failpoint("feed::after_finish").await?;
        if matches!(fed, Fed::Nothing) && known.cursor.position > known.logged {
            self.times
                .log(feed.database(), known.logged + 1, known.cursor.position);
            known.logged = known.cursor.position;
        }
        match fed {
            Fed::Rows => {
                self.mismatched = false;
                feed.notifier.database_changed();
                Ok(Pass::More)
            }
            Fed::LeaseLost => Ok(Pass::LeaseLost),
            Fed::Overtaken => {
                self.cursor = None;
                Ok(Pass::More)
            }
            // Read again, it says what is wrong. A target that contradicts itself is an error.
            Fed::Mismatch(error) => {
                self.cursor = None;
                if std::mem::replace(&mut self.mismatched, true) {
                    return Err(error.into());
                }
                Ok(Pass::More)
            }
            Fed::Nothing => {
                if known.asked_at.elapsed() >= CHECK_EVERY {
                    if feed.has_moved(&known.cursor).await? {
                        self.cursor = None;
                        return Ok(Pass::More);
                    }
                    known.asked_at = Instant::now();
                }
                Ok(Pass::Idle(Duration::from_secs(1)))
            }
        }
    }
}

impl Refusals {
    /// Reports what the database refuses, once, and when no hold of it is open any more.
    async fn report(&mut self, feed: &Feed) -> Result<(), StoreError> {
        if *self == Self::None {
            return Ok(());
        }
        *self = match feed.store.refused_rows(feed.database()).await? {
            None => {
                feed.report_refusals_over();
                Self::None
            }
            Some(refused) => {
                if *self == Self::Unknown {
                    feed.report_refusals(refused);
                }
                Self::Reported
            }
        };
        Ok(())
    }
}

impl TargetCursor {
    fn new(cursor: FeedCursor) -> Self {
        Self {
            logged: cursor.position,
            cursor,
            asked_at: Instant::now(),
        }
    }
}

impl Job for FeedJob {
    type Error = FeedError;

    fn lease(&self) -> String {
        feed_lease(self.feed.database())
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Journal, Topic::Database]
    }

    async fn begin(&mut self) {
        self.cursor = None;
        self.refusals = Refusals::Unknown;
        // The replica that fed before may have left its fault.
        let progress = self.feed.store.progress(self.feed.database()).await;
        self.faulted = progress.map_or(true, |progress| progress.fault.is_some());
    }

    async fn pass(&mut self, lease: &Lease, _stop: &CancellationToken) -> Result<Pass, FeedError> {
        let error = match self.feed_once(lease).await {
            Ok(pass) => {
                self.busy_since = None;
                return Ok(pass);
            }
            Err(error) => error,
        };
        let since = *self.busy_since.get_or_insert_with(Instant::now);
        if !error.is_busy() || since.elapsed() >= BUSY_PATIENCE {
            return Err(error);
        }
        // Some rows may have been applied.
        self.cursor = None;
        let database = self.feed.database();
        tracing::info!(database, reason = %ErrorChain(&error), "the feed waits for a locked row");
        Ok(Pass::Idle(BUSY_PAUSE))
    }

    async fn failed(
        &mut self,
        lease: &Lease,
        error: &FeedError,
        pause: Duration,
        stop: &CancellationToken,
    ) {
        let what = ErrorChain(error).to_string();
        let database = self.feed.database();
        tracing::error!(
            database,
            error = what,
            "the feed is stalled; it is tried again"
        );
        self.cursor = None;
        self.faulted = true;
        self.was_stalled = true;
        // First, so that nobody takes a check that passes for a feed that works.
        self.feed.record_fault(lease, Some(&what)).await;
        // At a shutdown of everything the adapter may have gone first.
        if !stop.is_cancelled() {
            self.feed.report_stalled(error, pause);
        }
    }
}
