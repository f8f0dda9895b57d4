//! How much there is of everything that waits, for those who watch.

use ach::decision::HoldReason;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::StoreError;

/// What waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Open holds by reason, with when the oldest was held.
    pub holds: Vec<(HoldReason, u64, DateTime<Utc>)>,
    /// Databases with their positions, and when the next row was recorded that each has not passed.
    pub followers: Vec<(String, u64, Option<DateTime<Utc>>)>,
    /// The position of the journal's last row.
    pub head_position: u64,
    /// The position of the audit log's last record.
    pub audit_position: u64,
    /// Open incidents: cause, severity, how many, and how many of them nobody has acknowledged.
    pub incidents: Vec<(String, String, u64, u64)>,
    /// Messages that are not delivered: state, the state of the endpoint, and how many.
    pub deliveries: Vec<(String, String, u64)>,
}

/// Connections to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub used: u64,
    pub idle: u64,
    /// How many more there may be.
    pub free: u64,
}

/// Counts for those who watch.
#[async_trait]
pub trait StatsStore: Send + Sync {
    /// What waits now.
    async fn waiting(&self) -> Result<Waiting, StoreError>;
    /// How the connections are used now.
    fn pool_use(&self) -> PoolUse;
    /// The trace of an import, if it was received within one.
    async fn trace_of(&self, import_id: &str) -> Result<Option<String>, StoreError>;
    /// The trace of the import that a journal row is about.
    async fn trace_at(&self, position: u64) -> Result<Option<String>, StoreError>;
}
