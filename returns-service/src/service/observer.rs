//! Says regularly how much there is of everything that waits. Each replica does, from the database that
//! all of them share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ach::decision::HoldReason;
use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use echeck_service::room::Room;
use returns_model::delivery::DeliveryState;
use returns_model::incident::{Cause, Severity};
use returns_store::metrics::{
    CONNECTIONS, DELIVERIES, HOLDS_OLDEST, HOLDS_OPEN, IMPORTS_OPEN, INCIDENTS_OPEN,
    INCIDENTS_UNACKNOWLEDGED, LAG_ROWS, LAG_SECONDS, SPOOL_FREE,
};
use returns_store::{PoolUse, Store, StoreError, Waiting};
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// What is looked at.
pub(super) struct Observer {
    store: Arc<dyn Store>,
    clock: SharedClock,
    spool_folder: PathBuf,
}

impl Observer {
    pub(super) fn new(store: Arc<dyn Store>, clock: SharedClock, spool_folder: PathBuf) -> Self {
        Self {
            store,
            clock,
            spool_folder,
        }
    }

    /// Looks again and again until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.look().await {
                // The watch of the database says that it is away.
                tracing::debug!(%error, "what waits cannot be counted");
            }
            returns_store::sleep(BETWEEN_LOOKS, &stop).await;
        }
    }

    async fn look(&self) -> Result<(), StoreError> {
        let PoolUse { used, idle, free } = self.store.pool_use();
        for (state, number) in [("used", used), ("idle", idle), ("free", free)] {
            CONNECTIONS.set(number, &[state]);
        }
        let folder = self.spool_folder.clone();
        let room = tokio::task::spawn_blocking(move || Room::of(&folder)).await;
        if let Ok(Ok(room)) = room {
            SPOOL_FREE.set(room.free_bytes, &[]);
        }
        IMPORTS_OPEN.set(self.store.count_unfinished_imports().await?, &[]);
        let waiting = self.store.waiting().await?;
        let now = self.clock.now();
        show_holds(&waiting, now);
        for (database, position, next) in &waiting.followers {
            let behind = waiting.head_position.saturating_sub(*position);
            LAG_ROWS.set(behind, &[database]);
            LAG_SECONDS.set(next.map_or(0, |at| age(at, now)), &[database]);
        }
        show_incidents(&waiting);
        show_deliveries(&waiting);
        Ok(())
    }
}

/// What there is none of is shown as 0, and not left at what it was.
fn show_incidents(waiting: &Waiting) {
    for cause in Cause::kinds() {
        for severity in [Severity::Warning, Severity::Critical] {
            let severity = severity.as_str();
            let of_both = |one: &&(String, String, u64, u64)| one.0 == *cause && one.1 == severity;
            let found = waiting.incidents.iter().find(of_both);
            let (open, unacknowledged) = found.map_or((0, 0), |found| (found.2, found.3));
            INCIDENTS_OPEN.set(open, &[cause, severity]);
            INCIDENTS_UNACKNOWLEDGED.set(unacknowledged, &[cause, severity]);
        }
    }
}

fn show_deliveries(waiting: &Waiting) {
    for state in [DeliveryState::Pending, DeliveryState::Undeliverable] {
        for endpoint in ["enabled", "disabled"] {
            let state = state.as_str();
            let of_both = |one: &&(String, String, u64)| one.0 == state && one.1 == endpoint;
            let found = waiting.deliveries.iter().find(of_both);
            DELIVERIES.set(found.map_or(0, |found| found.2), &[state, endpoint]);
        }
    }
}

fn show_holds(waiting: &Waiting, now: DateTime<Utc>) {
    for &reason in HoldReason::ALL {
        let found = waiting.holds.iter().find(|(is, ..)| *is == reason);
        let (number, oldest) = found.map_or((0, 0), |found| (found.1, age(found.2, now)));
        let word = reason.as_str();
        HOLDS_OPEN.set(number, &[word]);
        HOLDS_OLDEST.set(oldest, &[word]);
    }
}

fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    u64::try_from((now - since).num_seconds()).unwrap_or(0)
}
