//! Watching the returns database: it is down when it fails to answer twice in a row, and up
//! again when it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use echeck_service::clock::SharedClock;

use super::{Area, Cause, Desk, Subject, Trouble};
use crate::chain::Chain;
use crate::store::Store;

/// How long an answer may take. Shorter than the second between two probes, which are given
/// up by then.
const PATIENCE: Duration = Duration::from_millis(900);

/// So many probes in a row must fail.
const FAILURES: u32 = 2;

/// Watches the returns database.
pub(crate) struct StoreWatch {
    store: Arc<dyn Store>,
    desk: Desk,
    clock: SharedClock,
    failures: AtomicU32,
    /// Whether the desk may believe that it is down: also at the start, when an incident may
    /// be open from before.
    told: AtomicBool,
}

impl StoreWatch {
    pub(crate) fn new(store: Arc<dyn Store>, desk: Desk, clock: SharedClock) -> Self {
        Self {
            store,
            desk,
            clock,
            failures: AtomicU32::new(0),
            told: AtomicBool::new(true),
        }
    }

    /// Whether it answered the last time.
    pub(crate) fn is_up(&self) -> bool {
        self.failures.load(Ordering::Relaxed) == 0
    }

    /// Asks it for a sign of life.
    pub(crate) async fn probe(&self) -> Result<(), String> {
        let answer = tokio::time::timeout(PATIENCE, self.store.ping()).await;
        let why = match answer {
            Ok(Ok(())) => {
                self.failures.store(0, Ordering::Relaxed);
                if self.told.swap(false, Ordering::Relaxed) {
                    self.desk
                        .clear(Subject::Store, Area::Store, self.clock.now());
                }
                return Ok(());
            }
            Ok(Err(error)) => Chain(&error).to_string(),
            Err(_) => format!("it does not answer within {} ms", PATIENCE.as_millis()),
        };
        let failures = self
            .failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        if failures >= FAILURES {
            self.told.store(true, Ordering::Relaxed);
            let cause = Cause::StoreUnreachable { why: why.clone() };
            let trouble = Trouble::new(Subject::Store, cause, self.clock.now());
            self.desk.report(trouble);
        }
        Err(why)
    }
}
