//! The worker that checks everything once a day. What differs is an incident; what could not be
//! checked is checked again soon.

use std::sync::Arc;
use std::time::Duration;

use returns_store::{Job, Lease, Pass, StoreError, Topic, sleep};
use tokio_util::sync::CancellationToken;

use crate::JournalChecker;

/// How long after its start a replica checks for the first time, and how long after a check that
/// could not be finished it checks again. At most as long as between two checks.
const SOON: Duration = Duration::from_secs(600);

/// Checks the returns database and the databases behind the adapters.
pub struct DailyCheck {
    checker: Arc<JournalChecker>,
    every: Duration,
    is_first: bool,
}

impl DailyCheck {
    /// The worker.
    pub fn new(checker: Arc<JournalChecker>, every: Duration) -> Self {
        Self {
            checker,
            every,
            is_first: true,
        }
    }
}

impl Job for DailyCheck {
    type Error = StoreError;

    fn lease(&self) -> String {
        "verify".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[]
    }

    fn longest_pause(&self) -> Duration {
        SOON
    }

    async fn begin(&mut self) {
        self.is_first = true;
    }

    async fn pass(&mut self, lease: &Lease, stop: &CancellationToken) -> Result<Pass, StoreError> {
        let soon = SOON.min(self.every);
        if std::mem::take(&mut self.is_first) {
            // A service that starts again and again has better things to do.
            sleep(soon, stop).await;
        }
        let mut check = self.checker.begin(true).await?;
        loop {
            if stop.is_cancelled() {
                return Ok(Pass::Idle(soon));
            }
            if !lease.still_held().await? {
                return Ok(Pass::LeaseLost);
            }
            if !check.step().await? {
                break;
            }
        }
        let verdict = check.verdict();
        let (faults, missing) = (verdict.faults.len(), verdict.missing_count());
        tracing::info!(
            rows = verdict.checked,
            compared = verdict.compared,
            faults,
            missing,
            unchecked = verdict.unchecked.len(),
            proven_position = verdict.proven_position,
            "journal and databases verified"
        );
        for what in &verdict.unchecked {
            tracing::warn!(what, "not verified; it is tried again");
        }
        Ok(Pass::Idle(if verdict.unchecked.is_empty() {
            self.every
        } else {
            soon
        }))
    }
}
