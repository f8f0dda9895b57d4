//! The worker that signs where the journal ends, whenever it has grown. Before it signs, it checks
//! that the journal still continues the last checkpoint: a signature must never bless a change.

use std::sync::Arc;
use std::time::Duration;

use echeck_service::ErrorChain;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::journal::{Checkpoint, Head};
use returns_reports::bucket::BucketError;
use returns_store::{Job, Lease, Pass, StoreError, Topic};
use tokio_util::sync::CancellationToken;

use crate::{Checkpoints, JournalChecker};

/// Failures in a row after which an incident is reported. A bucket that is away for a moment has
/// time until the next checkpoint.
const PATIENCE: u32 = 6;

/// Why a checkpoint could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// Signs checkpoints.
pub struct SignerJob {
    checker: Arc<JournalChecker>,
    checkpoints: Arc<Checkpoints>,
    every: Duration,
    /// The last one; `None` until the bucket was asked.
    last: Option<Checkpoint>,
    failures: u32,
}

impl SignerJob {
    /// The worker; `None` without a key.
    pub fn new(checker: &Arc<JournalChecker>, every: Duration) -> Option<Self> {
        Some(Self {
            checkpoints: checker.checkpoints.clone()?,
            checker: checker.clone(),
            every,
            last: None,
            failures: 0,
        })
    }

    async fn sign(&mut self) -> Result<(), SignError> {
        let store = &self.checker.store;
        let head = store.head().await?;
        if head.position == 0 {
            return Ok(());
        }
        if self.last.is_none() {
            match self.checkpoints.last(head.journal_id, 1).await?.pop() {
                Some(Ok(last)) => self.last = Some(last),
                Some(Err(why)) => {
                    self.refuse(why);
                    return Ok(());
                }
                None => {}
            }
        }
        if let Some(last) = &self.last {
            if let Some(why) = self.contradicts(last, &head).await? {
                self.refuse(why);
                return Ok(());
            }
            if last.position == head.position {
                return Ok(());
            }
        }
        match self.checkpoints.sign(&head).await {
            Ok(checkpoint) => {
                tracing::info!(position = checkpoint.position, "checkpoint signed");
                self.last = Some(checkpoint);
                Ok(())
            }
            // Another replica was faster, or the answer to our own try was lost: it is read.
            Err(BucketError::Taken { .. }) => {
                self.last = None;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Why the journal does not continue its last checkpoint.
    async fn contradicts(
        &self,
        last: &Checkpoint,
        head: &Head,
    ) -> Result<Option<String>, SignError> {
        let (position, at) = (last.position, last.at);
        if position > head.position {
            return Ok(Some(format!(
                "the journal ends at position {}, but the checkpoint signed on {at} has position \
                 {position}; rows were removed from its end",
                head.position
            )));
        }
        let row = self.checker.store.stored_rows(position - 1, 1).await?.pop();
        let hash = row.map(|row| row.hash.to_string()).unwrap_or_default();
        Ok((hash != last.row_hash).then(|| {
            format!(
                "position {position} has another hash than the checkpoint signed on {at}; it, or \
                 a row before it, was changed"
            )
        }))
    }

    /// Reports that nothing may be signed.
    fn refuse(&self, what: String) {
        tracing::error!(what, "no checkpoint is signed: the journal is not sound");
        let now = self.checkpoints.clock.now();
        let cause = Cause::JournalNotSound { what, count: 1 };
        let problem = Problem::new(Subject::Journal, cause, now);
        self.checker.incidents.report(problem);
    }
}

impl Job for SignerJob {
    type Error = SignError;

    fn lease(&self) -> String {
        "checkpoints".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn begin(&mut self) {
        self.last = None;
    }

    async fn pass(&mut self, _: &Lease, _: &CancellationToken) -> Result<Pass, SignError> {
        self.sign().await?;
        if std::mem::take(&mut self.failures) >= PATIENCE {
            let now = self.checkpoints.clock.now();
            let incidents = &self.checker.incidents;
            incidents.clear(Subject::Bucket, Area::Bucket, now);
        }
        Ok(Pass::Idle(self.every))
    }

    async fn failed(&mut self, _: &Lease, error: &SignError, _: Duration, _: &CancellationToken) {
        self.failures = self.failures.saturating_add(1);
        tracing::error!(error = %ErrorChain(error), "no checkpoint could be signed");
        if let SignError::Bucket(error) = error
            && self.failures >= PATIENCE
        {
            let now = self.checkpoints.clock.now();
            let problem = Problem::new(Subject::Bucket, error.cause(), now);
            self.checker.incidents.report(problem);
        }
    }
}
