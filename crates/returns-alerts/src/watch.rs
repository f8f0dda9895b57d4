//! Watching the returns database: it must answer and take a write. It is down when it refuses twice in
//! a row, or does not answer in time four times in a row, and up again when it answers. One slow second
//! is not an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use echeck_service::clock::SharedClock;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_store::Store;

use super::IncidentReporter;

/// How long an answer may take. Shorter than the second between two probes, which are given
/// up by then.
const PATIENCE: Duration = Duration::from_millis(900);

/// The strikes in a row at which it is down. A refusal is two strikes, an answer that does not come
/// in time is one.
const DOWN: u32 = 4;
const REFUSAL: u32 = 2;
const SILENCE: u32 = 1;

/// Watches the returns database.
pub struct StoreWatch {
    store: Arc<dyn Store>,
    incidents: IncidentReporter,
    clock: SharedClock,
    strikes: AtomicU32,
    /// Whether an incident about it may be open: also at the start, from an earlier process.
    reported: AtomicBool,
}

impl StoreWatch {
    /// Watches `store`, and reports to `incidents` when it is down.
    pub fn new(store: Arc<dyn Store>, incidents: IncidentReporter, clock: SharedClock) -> Self {
        Self {
            store,
            incidents,
            clock,
            strikes: AtomicU32::new(0),
            reported: AtomicBool::new(true),
        }
    }

    /// Whether it is not down.
    pub fn is_up(&self) -> bool {
        self.strikes.load(Ordering::Relaxed) < DOWN
    }

    /// Writes a sign of life. An error when it refuses, or has been silent too often.
    pub async fn probe(&self) -> Result<(), String> {
        let answer = tokio::time::timeout(PATIENCE, self.store.ping()).await;
        let (why, strikes) = match answer {
            Ok(Ok(())) => {
                self.strikes.store(0, Ordering::Relaxed);
                if self.reported.swap(false, Ordering::Relaxed) {
                    self.incidents
                        .clear(Subject::Store, Area::Store, self.clock.now());
                }
                return Ok(());
            }
            Ok(Err(error)) => (error.why(), REFUSAL),
            Err(_) => {
                let why = format!("it does not answer within {} ms", PATIENCE.as_millis());
                (why, SILENCE)
            }
        };
        let before = self.strikes.fetch_add(strikes, Ordering::Relaxed);
        let down = before.saturating_add(strikes) >= DOWN;
        if down {
            self.reported.store(true, Ordering::Relaxed);
            let cause = Cause::StoreUnreachable { why: why.clone() };
            let problem = Problem::new(Subject::Store, cause, self.clock.now());
            self.incidents.report(problem);
        }
        if down || strikes == REFUSAL {
            Err(why)
        } else {
            Ok(())
        }
    }
}
