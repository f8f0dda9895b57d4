#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

use async_trait::async_trait;
use chrono::{DateTime, Utc};

mod adoption;
mod append;
mod audit;
mod columns;
mod db;
mod delivery;
mod dishonor;
mod error;
mod event;
mod failpoint;
mod follower;
mod grants;
mod hold;
mod import;
mod incident;
mod job;
mod journal;
mod lease;
pub mod metrics;
mod notifier;
mod open;
mod outage;
mod owner;
mod report;
mod runner;
mod sealed;
mod settings;
mod settle;
mod spans;
mod sql;
mod stats;
mod transfer;
mod verify;
mod watch;
mod webhook;

pub use adoption::AdoptionStore;
pub use append::{Append, AppendCause, AppendStore, Appended, DuplicateLine, PrenoteLine, Writes};
pub use audit::{AuditStore, KnownRequest, ProposalStore, RequestKey, RequestStore};
pub use delivery::DeliveryStore;
pub use dishonor::DishonorStore;
pub use error::StoreError;
pub use event::{EventReads, EventStore};
pub use failpoint::failpoint;
pub use follower::{FollowerStore, feed_lease};
pub use hold::HoldStore;
pub use import::{ImportFilter, ImportProgress, ImportStore};
pub use incident::IncidentStore;
pub use job::{RemoteFileStore, RunStore, SourceStore};
pub use journal::{JournalStore, Known, ReturnFilter};
pub use lease::{Lease, LeaseStore, ParkedImport, Replica};
pub use notifier::{Notifier, Seen, Topic};
pub use open::{open, open_both};
pub use owner::OwnerStore;
pub use report::{FilesStore, ReportStore};
pub use runner::{Backoff, Job, Pass, run, sleep};
pub use sealed::{SealedPlace, SealedStore, SealedText};
pub use settings::{StoreAddress, StoreSettings};
pub use settle::SettleStore;
pub use spans::spans_of;
pub use stats::{PoolUse, StatsStore, Waiting};
pub use transfer::{Facts, StandingRow, TransferFacts, TransferStore};
pub use verify::{CountedImport, HoldColumns, RowRange, VerifyStore};
pub use webhook::WebhookStore;

/// The returns database: every subject's trait.
#[async_trait]
pub trait Store:
    JournalStore
    + TransferStore
    + AppendStore
    + ImportStore
    + HoldStore
    + FollowerStore
    + AdoptionStore
    + LeaseStore
    + SettleStore
    + DishonorStore
    + FilesStore
    + ReportStore
    + SourceStore
    + RunStore
    + RemoteFileStore
    + IncidentStore
    + EventStore
    + EventReads
    + WebhookStore
    + OwnerStore
    + DeliveryStore
    + VerifyStore
    + SealedStore
    + StatsStore
    + AuditStore
    + RequestStore
    + ProposalStore
    + 'static
{
    /// Whether the database answers, takes a write, and gives the account its rights, and the work's
    /// own statements do not fail again and again.
    async fn ping(&self) -> Result<(), StoreError>;

    /// What the clock of the database's server shows; `None` where that is this machine.
    async fn database_time(&self) -> Result<Option<DateTime<Utc>>, StoreError>;
}
