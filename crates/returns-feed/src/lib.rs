//! The feeds: each database's adapter is given the journal from where its own cursor stands.
//! The system of record goes first; a mirror is fed only up to what the system of record has
//! passed, and what did not take effect there reaches it as an empty step.
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use batch::Fed;
use echeck_service::clock::SharedClock;
use echeck_service::{ErrorChain, failpoint};
use returns_alerts::IncidentReporter;
use returns_import::adapter::{Adapter, AdapterError};
use returns_store::{Lease, Notifier, Replica, Store, StoreError, feed_lease};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod adopt;
mod batch;
mod cursor;
mod exception;
mod problem;
mod rests_on;
pub mod settle;
mod step;
mod target;

pub use adopt::{AdoptError, AdoptRequest};
pub use step::timestamp;
pub use target::AdapterProbe;

pub use batch::FeedTimes;

/// How often a feed that has nothing to send asks the target where it is. A target that was
/// restored from a backup would not tell by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// What a database is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It knows the truth about transfers and goes first.
    SystemOfRecord,
    /// It repeats what the system of record has.
    Mirror,
}

/// Why a feed does not go on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Decide(#[from] returns_import::decide::DecideError),
    #[error(
        "{database} follows another journal: its cursor names {theirs}, ours is {ours}. Point the \
         adapter at the right database, or the service at the right journal"
    )]
    OtherJournal {
        database: String,
        theirs: String,
        ours: String,
    },
    #[error(
        "{database} is ahead of the journal: its cursor is at {theirs}, the journal ends at {ours}. \
         The returns database was restored to an older state; nothing is fed until a person decides"
    )]
    Ahead {
        database: String,
        theirs: u64,
        ours: u64,
    },
    #[error(
        "{database} and the journal have different pasts at position {position}: its cursor has \
         hash {theirs}, the journal {ours}. The returns database was restored or changed; nothing \
         is fed until a person decides"
    )]
    Diverged {
        database: String,
        position: u64,
        theirs: String,
        ours: String,
    },
    #[error("the journal has no row {0}")]
    NoRow(u64),
    #[error("the adapter of {database} sent what the contract does not allow: {what}")]
    Contract { database: String, what: String },
    #[error("source {0:?} of a journal row is not configured any more; add [sources.{0}] again")]
    NoSource(String),
}

/// The feed of one database.
pub struct Feed {
    pub adapter: Adapter,
    pub role: Role,
    pub store: Arc<dyn Store>,
    pub replica: Replica,
    /// The name of the system of record, for a mirror.
    pub system_of_record: String,
    /// The names of all databases; an import is applied once all have passed it.
    pub databases: Vec<String>,
    pub batch_size: u32,
    pub clock: SharedClock,
    pub changes: Notifier,
    pub incidents: IncidentReporter,
    pub importer: Arc<returns_import::Importer>,
    /// Where its time goes.
    pub stages: FeedTimes,
    /// Whether a fault may be recorded for this feed, by this replica or by the one before it.
    pub faulted: AtomicBool,
}

impl Feed {
    pub fn database(&self) -> &str {
        &self.adapter.database
    }

    /// Records why the feed stands still, or that it goes on, for every replica to show.
    async fn record_fault(&self, lease: &Lease, what: Option<&str>) {
        self.faulted.store(what.is_some(), Ordering::Relaxed);
        let recorded = self
            .store
            .record_fault(self.database(), lease.owner(), what, self.clock.now())
            .await;
        if let Err(error) = recorded {
            self.faulted.store(true, Ordering::Relaxed);
            tracing::error!(
                database = self.database(),
                error = %ErrorChain(&error),
                "the feed's state could not be recorded"
            );
        }
        self.changes.bump();
    }

    /// Feeds until `shutdown`, whenever this replica has the feed's lease.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let name = feed_lease(self.database());
        while let Some(lease) = self.replica.acquire(&name, &shutdown).await {
            // Whoever fed before may have left its fault.
            let progress = self.store.progress(self.database()).await;
            let faulted = progress.map_or(true, |progress| progress.fault.is_some());
            self.faulted.store(faulted, Ordering::Relaxed);
            lease.keep(self.feed_until_lost(&lease, &shutdown)).await;
            lease.release().await;
        }
    }

    /// Feeds until the shutdown or until the lease is lost. After any error the target's own
    /// cursor is read again; nothing is ever retried blindly.
    async fn feed_until_lost(&self, lease: &Lease, shutdown: &CancellationToken) {
        let mut pause = Duration::from_millis(200);
        while !shutdown.is_cancelled() {
            let fed = self.feed(lease, shutdown, &mut pause).await;
            let Err(error) = fed else { return };
            let what = ErrorChain(&error).to_string();
            tracing::error!(
                database = self.database(),
                error = what,
                "the feed stands still; it is tried again"
            );
            // At a shutdown of everything the adapter may have gone first.
            if !shutdown.is_cancelled() {
                self.report(&error, pause).await;
            }
            self.record_fault(lease, Some(&what)).await;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Reads the cursor once, then feeds batch after batch, until the shutdown or until the
    /// lease is lost.
    async fn feed(
        &self,
        lease: &Lease,
        shutdown: &CancellationToken,
        pause: &mut Duration,
    ) -> Result<(), FeedError> {
        let mut cursor = self.catch_up_with_target().await?;
        let mut looked_at = Instant::now();
        let mut told = cursor.position;
        // Whether the target has answered since it was last reported to be well.
        let mut asked = true;
        while !shutdown.is_cancelled() {
            let seen = self.changes.version();
            trip("feed::before_exceptions").await?;
            self.handle_exceptions().await?;
            let fed = self.feed_batch(&mut cursor, lease).await?;
            if self.faulted.load(Ordering::Relaxed) {
                tracing::info!(
                    database = self.database(),
                    position = cursor.position,
                    "the feed goes on"
                );
                self.record_fault(lease, None).await;
            }
            *pause = Duration::from_millis(200);
            if matches!(fed, Fed::Rows) || (asked && matches!(fed, Fed::Nothing)) {
                self.report_well();
                asked = false;
            }
            trip("feed::before_finish").await?;
            self.finish_imports().await?;
            trip("feed::after_finish").await?;
            if matches!(fed, Fed::Nothing) && cursor.position > told {
                self.log_progress(told, cursor.position);
                told = cursor.position;
            }
            match fed {
                Fed::Rows => self.changes.bump(),
                Fed::LeaseLost => return Ok(()),
                Fed::Overtaken => cursor = self.catch_up_with_target().await?,
                Fed::Nothing if looked_at.elapsed() >= LOOK_AGAIN => {
                    if self.has_moved(&cursor).await? {
                        cursor = self.catch_up_with_target().await?;
                    }
                    looked_at = Instant::now();
                    asked = true;
                }
                Fed::Nothing => {
                    self.changes
                        .wait(seen, Duration::from_secs(1), shutdown)
                        .await;
                }
            }
        }
        Ok(())
    }

    /// Says what was fed since the feed was idle, and where the time went.
    fn log_progress(&self, after: u64, position: u64) {
        tracing::info!(
            database = self.database(),
            first_position = after + 1,
            last_position = position,
            read_ms = self.stages.read.take_ms(),
            apply_ms = self.stages.apply.take_ms(),
            record_ms = self.stages.record.take_ms(),
            "journal rows applied"
        );
    }

    async fn finish_imports(&self) -> Result<(), StoreError> {
        let finished = self
            .store
            .finish_imports(&self.databases, self.clock.now())
            .await?;
        for import_id in &finished {
            tracing::info!(import_id, "every database has what was decided");
        }
        if !finished.is_empty() {
            self.changes.bump();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

/// A point at which the crash campaign makes a feed fail.
async fn trip(point: &'static str) -> Result<(), StoreError> {
    Ok(failpoint::hit(point).await?)
}
