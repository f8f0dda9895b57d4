//! The feed of one database: what it needs, and what both the worker and operators do with it.

use std::sync::Arc;

use echeck_service::ErrorChain;
use echeck_service::clock::SharedClock;
use returns_alerts::IncidentReporter;
use returns_import::adapter::Adapter;
use returns_import::decide::Decider;
use returns_store::{Lease, Notifier, Store, StoreError};

/// What a database is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It knows the truth about transfers and goes first.
    SystemOfRecord,
    /// It repeats what the system of record has.
    Mirror,
}

/// The feed of one database.
pub struct Feed {
    pub adapter: Adapter,
    pub role: Role,
    pub store: Arc<dyn Store>,
    /// The name of the system of record, for a mirror.
    pub system_of_record: String,
    /// The names of all databases; an import is applied once all have passed it.
    pub databases: Vec<String>,
    pub batch_size: u32,
    pub clock: SharedClock,
    pub notifier: Notifier,
    pub incidents: IncidentReporter,
    /// Decides rows again that did not take effect.
    pub decider: Arc<Decider>,
}

impl Feed {
    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.adapter.database
    }

    /// Records why the feed is stalled, or that it recovered, for every replica to show. False
    /// when that could not be recorded.
    pub(super) async fn record_fault(&self, lease: &Lease, what: Option<&str>) -> bool {
        let recorded = self
            .store
            .record_fault(self.database(), lease.owner(), what, self.clock.now())
            .await;
        if let Err(error) = &recorded {
            tracing::error!(
                database = self.database(),
                error = %ErrorChain(error),
                "the feed's state could not be recorded"
            );
        }
        self.notifier.database_changed();
        recorded.is_ok()
    }

    /// Marks imports as applied that every database has passed.
    pub(super) async fn finish_imports(&self) -> Result<(), StoreError> {
        let finished = self
            .store
            .finish_imports(&self.databases, self.clock.now())
            .await?;
        for import_id in &finished {
            tracing::info!(import_id, "every database has what was decided");
        }
        if !finished.is_empty() {
            self.notifier.import_changed();
        }
        Ok(())
    }
}
