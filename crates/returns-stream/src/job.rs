//! The worker: it publishes what the journal has after the last message of the stream, and what
//! comes then. One replica does it at a time; that two cannot do harm is in `message.rs`.

use std::sync::Arc;
use std::time::Duration;

use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::{IncidentReporter, Lasting};
use returns_model::incident::{Area, Problem, Subject};
use returns_store::metrics::{STREAM_LAG_ROWS, STREAM_ROWS};
use returns_store::{Job, Lease, Pass, Store, Topic};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::opened::Opened;
use crate::{StreamError, StreamSettings};

/// The most rows on their way at a time.
const BATCH: u32 = 256;

/// The longest time without a look at the journal: other replicas wake nobody here.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often the stream is looked at while there is nothing to publish, so that an outage is told before
/// the next return waits for its end.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Publishes the journal.
pub struct StreamJob {
    settings: StreamSettings,
    store: Arc<dyn Store>,
    incidents: IncidentReporter,
    clock: SharedClock,
    watched: Watched,
}

/// What is known between two passes.
struct Watched {
    /// `None` until it is opened, and after a failure.
    opened: Option<Opened>,
    /// When the stream has answered last.
    answered: Instant,
    /// When the pass began that is tried now.
    began: Instant,
    lasting: Lasting,
    /// Whether an incident may be open that this job, or the one before it, has reported.
    reported: bool,
}

impl StreamJob {
    /// Publishes to the stream of `settings`, and notifies people when that has failed for
    /// `patience`.
    pub fn new(
        settings: StreamSettings,
        store: Arc<dyn Store>,
        incidents: IncidentReporter,
        clock: SharedClock,
        patience: Duration,
    ) -> Self {
        Self {
            settings,
            store,
            incidents,
            clock,
            watched: Watched {
                opened: None,
                answered: Instant::now(),
                began: Instant::now(),
                lasting: Lasting::new(patience),
                reported: true,
            },
        }
    }

    /// Publishes the next rows; false when there are none.
    async fn publish(&mut self) -> Result<bool, StreamError> {
        let mut opened = match self.watched.opened.take() {
            Some(opened) => opened,
            None => {
                let opened = Opened::open(&self.settings, &*self.store).await?;
                self.watched.answered = Instant::now();
                opened
            }
        };
        let rows = self.store.rows_after(opened.position, BATCH).await?;
        if !rows.is_empty() {
            opened.publish(&rows).await?;
            self.watched.answered = Instant::now();
            STREAM_ROWS.add(rows.len() as u64, &[]);
            tracing::debug!(position = opened.position, "journal rows published to NATS");
        } else if self.watched.answered.elapsed() >= LOOK_EVERY {
            if !opened.is_as_left(&self.settings).await? {
                // Opening it again finds out what happened to it.
                return Ok(true);
            }
            self.watched.answered = Instant::now();
        }
        let behind = self.store.head().await?.position;
        STREAM_LAG_ROWS.set(behind.saturating_sub(opened.position), &[]);
        // Only one that nothing has failed on is used again.
        self.watched.opened = Some(opened);
        Ok(!rows.is_empty())
    }
}

impl Job for StreamJob {
    type Error = StreamError;

    fn lease(&self) -> String {
        "stream".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Journal]
    }

    async fn begin(&mut self) {
        self.watched.opened = None;
        self.watched.lasting.passed();
        self.watched.reported = true;
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, StreamError> {
        self.watched.began = Instant::now();
        let began_at = self.clock.now();
        let more = self.publish().await?;
        self.watched.lasting.passed();
        if std::mem::take(&mut self.watched.reported) {
            self.incidents
                .clear(Subject::Stream, Area::Stream, began_at);
        }
        Ok(if more {
            Pass::More
        } else {
            Pass::Idle(LONGEST_PAUSE)
        })
    }

    async fn failed(
        &mut self,
        lease: &Lease,
        error: &StreamError,
        pause: Duration,
        _stop: &CancellationToken,
    ) {
        tracing::warn!(
            job = lease.name(),
            error = %ErrorChain(error),
            pause_ms = pause.as_millis(),
            "the journal is not published; it is tried again"
        );
        let Some(cause) = error.cause(&self.settings) else {
            return;
        };
        if self.watched.lasting.failed(self.watched.began) {
            let problem = Problem::new(Subject::Stream, cause, self.clock.now());
            self.incidents.report(problem);
            self.watched.reported = true;
        }
    }

    fn leave(&mut self) {
        self.watched.opened = None;
        STREAM_LAG_ROWS.set(0, &[]);
    }
}
