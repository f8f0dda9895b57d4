//! Watching the bucket, also while there is nothing to put into it: a marker is read again and again, and
//! put now and then. One replica does it at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use returns_alerts::{Lasting, Vitals};
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_store::{Job, Lease, Pass, Topic};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::Reporter;
use crate::bucket::{BucketError, Digest};

/// How often it is asked while all is well, and after people were notified.
const EVERY: Duration = Duration::from_secs(4);

/// How soon it is asked again after a check that failed, until people are notified.
const AGAIN: Duration = Duration::from_millis(500);

/// How often the marker is put. A bucket that keeps every version keeps these, too.
const PUT_EVERY: Duration = Duration::from_secs(300);

/// The marker, which every installation puts alike.
const KEY: &str = ".echeck-probe/watch";
const MARKER: &[u8] =
    b"echeck-returns puts this here, and reads it back, to see whether the bucket works\n";

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Watches the bucket of a reporter.
pub struct BucketWatch {
    reporter: Arc<Reporter>,
    vitals: Vitals,
    lasting: Lasting,
    put_at: Option<Instant>,
    /// Whether an incident may be open that this watch, or the one before it, has reported.
    reported: bool,
}

impl BucketWatch {
    /// Watches the bucket of `reporter`.
    pub fn new(reporter: Arc<Reporter>, vitals: Vitals) -> Self {
        let patience = reporter.patience;
        Self {
            reporter,
            vitals,
            lasting: Lasting::new(patience),
            put_at: None,
            reported: true,
        }
    }

    /// What is wrong with it: only what the work does counts, putting and reading back.
    async fn look(&mut self) -> Result<(), BucketError> {
        let bucket = &self.reporter.bucket;
        let digest = Digest::of(MARKER);
        let is_due = self.put_at.is_none_or(|at| at.elapsed() >= PUT_EVERY);
        let looking = async {
            match bucket.verify(KEY, &digest).await {
                Ok(()) if is_due => {
                    // Where we may, so that something is written. What is kept for ever stays, and
                    // the server only checks that we may put it.
                    let _ = bucket.delete(&bucket.path(KEY)).await;
                }
                Ok(()) => return Ok(false),
                // Nobody has put it yet, or somebody tidied up.
                Err(BucketError::NoObject { .. }) => {}
                Err(error) => return Err(error),
            }
            bucket.create(KEY, MARKER.to_vec(), &digest).await?;
            bucket.verify(KEY, &digest).await.map(|()| true)
        };
        let looked = timeout(PATIENCE, looking).await;
        if looked.unwrap_or_else(|_| Err(bucket.silent(PATIENCE)))? {
            self.put_at = Some(Instant::now());
        }
        Ok(())
    }

    fn failed(&mut self, cause: Cause, began: Instant) -> Duration {
        if !self.lasting.failed(began) {
            return AGAIN;
        }
        self.vitals.lacks(&self.lease(), &cause.headline());
        let problem = Problem::new(Subject::Bucket, cause, self.reporter.clock.now());
        self.reporter.incidents.report(problem);
        self.reported = true;
        EVERY
    }

    /// Ends what was reported, unless the files of an import meet a fault that no check sees.
    async fn passed(&mut self, began_at: chrono::DateTime<chrono::Utc>) {
        self.lasting.passed();
        self.vitals.has(&self.lease());
        if !self.reported {
            return;
        }
        let store = &self.reporter.store;
        let faults = store.files_with_fault(Area::Bucket.as_str()).await;
        if faults.is_ok_and(|count| count == 0) {
            let incidents = &self.reporter.incidents;
            incidents.clear(Subject::Bucket, Area::Bucket, began_at);
            self.reported = false;
        }
    }
}

impl Job for BucketWatch {
    type Error = Infallible;

    fn lease(&self) -> String {
        "watch of the bucket".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    async fn begin(&mut self) {
        self.lasting.passed();
        self.put_at = None;
        self.reported = true;
    }

    fn leave(&mut self) {
        self.vitals.has(&self.lease());
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, Infallible> {
        let (began, began_at) = (Instant::now(), self.reporter.clock.now());
        let pause = match self.look().await {
            Err(error) => self.failed(error.cause(), began),
            Ok(()) => {
                self.passed(began_at).await;
                EVERY
            }
        };
        Ok(Pass::Idle(pause))
    }
}
