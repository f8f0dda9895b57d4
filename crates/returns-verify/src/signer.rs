//! The worker that signs where the journal and the audit log end, whenever one of them has grown.
//! Before it signs, it checks that both still continue the last checkpoint: a signature must never
//! bless a change.

use std::sync::Arc;
use std::time::Duration;

use echeck_service::ErrorChain;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::journal::{Checkpoint, Head};
use returns_reports::bucket::BucketError;
use returns_store::metrics::{CHECKPOINTS, UNSIGNED_ROWS};
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
        let (head, audit) = (store.head().await?, store.audit_head().await?);
        if head.position == 0 && audit.position == 0 {
            return Ok(());
        }
        if self.last.is_none() {
            for found in self.checkpoints.of(head.journal_id, 1).await? {
                match found {
                    Ok(last) => self.last = Some(last),
                    Err(why) => {
                        self.refuse(why);
                        self.last = None;
                        return Ok(());
                    }
                }
            }
        }
        if let Some(last) = &self.last {
            let contradiction = match self.contradicts(last, &head).await? {
                Some(why) => Some(why),
                None => self.audit_contradicts(last, &audit).await?,
            };
            if let Some(why) = contradiction {
                self.refuse(why);
                return Ok(());
            }
            if last.position == head.position && last.audit_position == audit.position {
                return Ok(());
            }
        }
        let (signed, audited) = self
            .last
            .as_ref()
            .map_or((0, 0), |last| (last.position, last.audit_position));
        let unsigned = (head.position - signed) + (audit.position - audited);
        UNSIGNED_ROWS.set(unsigned, &[]);
        match self.checkpoints.sign(&head, &audit).await {
            Ok(checkpoint) => {
                let Checkpoint {
                    position,
                    audit_position,
                    ..
                } = checkpoint;
                tracing::info!(position, audit_position, "checkpoint signed");
                CHECKPOINTS.add(1, &[]);
                UNSIGNED_ROWS.set(0, &[]);
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
        if position == 0 {
            return Ok(None);
        }
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

    /// Why the audit log does not continue the last checkpoint.
    async fn audit_contradicts(
        &self,
        last: &Checkpoint,
        audit: &Head,
    ) -> Result<Option<String>, SignError> {
        let (position, at) = (last.audit_position, last.at);
        if position == 0 {
            return Ok(None);
        }
        if position > audit.position {
            return Ok(Some(format!(
                "the audit log ends at record {}, but the checkpoint signed on {at} has record \
                 {position}; records were removed from its end",
                audit.position
            )));
        }
        let record = self
            .checker
            .store
            .stored_audit(position - 1, 1)
            .await?
            .pop();
        let hash = record.map(|record| record.hash.to_string());
        Ok((hash.unwrap_or_default() != last.audit_hash).then(|| {
            format!(
                "audit record {position} has another hash than the checkpoint signed on {at}; it, or \
                 a record before it, was changed"
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

    /// Another replica signs from now on, and says what is not signed.
    fn leave(&mut self) {
        UNSIGNED_ROWS.set(0, &[]);
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
