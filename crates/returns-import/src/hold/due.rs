//! The worker that tries due holds.

use std::time::Duration;

use returns_store::{Job, Lease, Pass, Topic, failpoint};
use tokio_util::sync::CancellationToken;

use super::{HoldError, Holds, Retry, SERVICE};

/// How many holds are tried in one pass.
const BATCH: u32 = 500;

/// Tries holds when they are due.
pub struct DueHolds(pub Holds);

impl Job for DueHolds {
    type Error = HoldError;

    fn lease(&self) -> String {
        "holds".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Hold]
    }

    async fn pass(&mut self, _lease: &Lease, stop: &CancellationToken) -> Result<Pass, HoldError> {
        let holds = &self.0;
        for hold in holds.store().due_holds(holds.clock.now(), BATCH).await? {
            if stop.is_cancelled() {
                break;
            }
            failpoint("hold::before_retry").await?;
            let retry = Retry {
                transfer_id: None,
                by: SERVICE,
                note: "what it waited for is there",
            };
            holds.retry(&hold, &retry).await?;
        }
        Ok(Pass::Idle(Duration::from_secs(1)))
    }
}
