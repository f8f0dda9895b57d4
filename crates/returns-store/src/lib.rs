//! The returns database: the journal, the imports, the holds, and how far each follower is.
//! A small trait, so that PostgreSQL and SQLite stand behind the same words and pass the
//! same contract tests.
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ach::entry::Entry;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_service::failpoint::Tripped;
use postgres::PgStore;
use returns_model::adoption::Adoption;
use returns_model::dishonor::Marks;
use returns_model::follower::{Progress, RowException};
use returns_model::hold::{HoldChange, HoldFilter, HoldRecord, HoldState, NewHold};
use returns_model::import::{Checked, ImportRecord, NewImport, Received, RejectedLine, Totals};
use returns_model::journal::{Head, JournalRow, Row};
use sqlite::SqliteStore;
use uuid::Uuid;

mod columns;
#[allow(dead_code, unused_imports, reason = "TODO")]
mod db;
mod delivery;
mod dishonor;
mod event;
mod failpoint;
mod fan_out;
mod follower;
mod incident;
mod incident_rows;
mod job;
mod lease;
mod migrate;
mod notifier;
mod owner;
mod postgres;
mod records;
mod report;
mod runner;
mod settings;
mod settle;
#[allow(dead_code, reason = "TODO")]
mod sql;
mod sqlite;
mod webhook;
mod webhook_rows;
mod writes;

pub use delivery::DeliveryStore;
pub use dishonor::DishonorStore;
pub use event::{EventReads, EventStore};
pub use failpoint::failpoint;
pub use follower::feed_lease;
pub use incident::IncidentStore;
pub use job::{RemoteFileStore, RunStore, SourceStore};
pub use lease::{Lease, Replica};
pub use notifier::{Notifier, Seen, Topic};
pub use owner::OwnerStore;
pub use report::ReportStore;
pub use runner::{Backoff, Job, Pass, run, sleep};
pub use settle::SettleStore;
pub use webhook::WebhookStore;

pub use settings::{StoreAddress, StoreSettings};

/// What can go wrong with the returns database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer, or refused a statement.
    #[error("the returns database did not carry out {what}")]
    Database {
        /// What was being done.
        what: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what this program never writes.
    #[error("the returns database holds something unreadable in {place}: {what}")]
    Unreadable {
        /// Table and key.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The settings of the database lose data, or its address is no good.
    #[error("the returns database cannot be used: {0}")]
    Unusable(String),
}

impl From<Tripped> for StoreError {
    fn from(tripped: Tripped) -> Self {
        let source = sqlx::Error::Protocol(tripped.to_string());
        Self::Database {
            what: tripped.0,
            source,
        }
    }
}

/// Opens the returns database, of whichever kind it is. `new_journal_id` is the journal's
/// identity if it has none yet.
///
/// # Errors
/// When it does not answer, may not be used, or its tables are not what this program needs.
pub async fn open(
    settings: &StoreSettings,
    new_journal_id: Uuid,
) -> Result<Arc<dyn Store>, StoreError> {
    match &settings.address {
        StoreAddress::Sqlite(url) => {
            let store = SqliteStore::open(url, settings, new_journal_id).await?;
            Ok(Arc::new(store))
        }
        StoreAddress::Postgres(address) => {
            let store = PgStore::open(address, settings, new_journal_id).await?;
            Ok(Arc::new(store))
        }
    }
}

/// Whether the database answers just now. Given up after two seconds.
pub async fn answers(store: &dyn Store) -> bool {
    let asked = tokio::time::timeout(Duration::from_secs(2), store.ping());
    matches!(asked.await, Ok(Ok(())))
}

/// Why rows are appended. Each cause moves its own progress in the same transaction, by
/// compare-and-set, so that nobody can append for the same cause twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendCause {
    /// The next entries of an import.
    Import {
        import_id: String,
        /// How many entries were done before; the append fails if that is no longer so.
        done_before: u64,
        /// How many are done with this append.
        done_after: u64,
        /// The totals after it.
        totals: Totals,
        /// Whether these are the last entries.
        last: bool,
    },
    /// A hold that could be decided. The append fails if it is no longer open.
    Hold {
        hold_id: String,
        state: HoldState,
        by: String,
        note: String,
    },
    /// A row that did not take effect in a database. The append fails if that was dealt
    /// with already.
    Exception { database: String, position: u64 },
    /// Made transfers that may be settled from now on. The append fails if one of them is ready
    /// already.
    Ready { transfer_ids: Vec<String> },
}

/// Everything that one append writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub cause: AppendCause,
    /// The head that the decision knew. If the journal says more about one of these
    /// transfers by now, the decision is stale and nothing is appended.
    pub seen_position: u64,
    pub writes: Writes,
    pub at: DateTime<Utc>,
}

/// What an append adds besides moving its cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writes {
    pub rows: Vec<Row>,
    pub holds: Vec<NewHold>,
    pub duplicates: Vec<DuplicateLine>,
    pub rejected: Vec<RejectedLine>,
    /// Which of the decided entries may be dishonored.
    pub dishonor: Marks,
}

/// An entry whose return was known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateLine {
    pub ordinal: u64,
    pub line: u64,
    pub transfer_id: String,
    pub of_return_id: String,
    /// The entry itself; `None` where it was recorded before entries were kept.
    pub entry: Option<Entry>,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is in the journal, which now ends here.
    Done(Head),
    /// The journal has moved on for one of the transfers: read again and decide again.
    Stale,
    /// Somebody else has dealt with the cause: leave it.
    Lost,
}

/// Which returns to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnFilter {
    pub import_id: Option<String>,
    pub transfer_id: Option<String>,
    pub code: Option<String>,
    /// Only positions below this one.
    pub before: Option<u64>,
}

/// What the journal says of some transfers, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The position of the last row at that moment.
    pub head_position: u64,
    /// By transfer id: its rows that still stand, in order of position, those that only follow
    /// another among them. Superseded rows, repeats, and rows that did not take effect in the
    /// system of record are left out.
    pub standing: HashMap<String, Vec<JournalRow>>,
    /// By transfer id: how many return ids were ever given out for it.
    pub ids_given: HashMap<String, usize>,
}

/// The returns database.
#[async_trait]
pub trait Store:
    IncidentStore
    + EventStore
    + SourceStore
    + RunStore
    + RemoteFileStore
    + ReportStore
    + SettleStore
    + EventReads
    + WebhookStore
    + DeliveryStore
    + DishonorStore
    + OwnerStore
    + Send
    + Sync
    + 'static
{
    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The end of the journal.
    async fn head(&self) -> Result<Head, StoreError>;
    /// Keeps an operator's decision about a cursor, before the target is asked.
    async fn record_adoption(&self, adoption: &Adoption) -> Result<(), StoreError>;
    /// Keeps that the target has done it.
    async fn finish_adoption(&self, adoption_id: &str, at: DateTime<Utc>)
    -> Result<(), StoreError>;
    /// Appends rows, with everything that belongs to the same step.
    async fn append(&self, append: Append) -> Result<Appended, StoreError>;
    /// What the journal says of these transfers. `system_of_record` names the database whose
    /// exceptions take a row out.
    async fn known(
        &self,
        transfer_ids: &[String],
        system_of_record: &str,
    ) -> Result<Known, StoreError>;
    /// Rows after a position, in order.
    async fn rows_after(&self, position: u64, limit: u32) -> Result<Vec<JournalRow>, StoreError>;
    /// The row at a position.
    async fn row(&self, position: u64) -> Result<Option<JournalRow>, StoreError>;
    /// The row that stands for a return (the last one with its id that is no repeat).
    async fn return_row(&self, return_id: &str) -> Result<Option<JournalRow>, StoreError>;
    /// Rows that still stand, newest first.
    async fn returns(
        &self,
        filter: &ReturnFilter,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;

    /// Records a file that was received, unless its bytes are known for that source.
    async fn receive(&self, new: NewImport) -> Result<Received, StoreError>;
    /// One import.
    async fn import(&self, import_id: &str) -> Result<Option<ImportRecord>, StoreError>;
    /// Imports, newest first, those received before `before` (time and id).
    async fn imports(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError>;
    /// How many imports each source has.
    async fn imports_per_source(&self) -> Result<HashMap<String, u64>, StoreError>;
    /// Ids of imports that are neither decided nor refused, oldest first.
    async fn open_imports(&self) -> Result<Vec<String>, StoreError>;
    /// Claims imports that are neither decided nor refused for `owner`, oldest first: those
    /// that nobody has claimed, whose claim has run out, or which `owner` has claimed already,
    /// but none of `besides`. The claim runs for `lease` by the database's clock. Gives the
    /// ids, at most `limit`.
    ///
    /// A claim only saves work. That nothing is done twice is up to [`Store::append`].
    async fn claim_imports(
        &self,
        owner: &str,
        besides: &[String],
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<String>, StoreError>;
    /// Lets the claims of `owner` run for another `lease`. Gives those of the imports that it
    /// still has.
    async fn renew_claims(
        &self,
        owner: &str,
        import_ids: &[String],
        lease: Duration,
    ) -> Result<Vec<String>, StoreError>;
    /// Gives an import back, if `owner` has it.
    async fn release_import(&self, import_id: &str, owner: &str) -> Result<(), StoreError>;
    /// Takes a lease that is free, has run out, or is the owner's already, for `lease` from
    /// now by the database's clock. False when another has it.
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError>;
    /// Gives a lease back, if `owner` has it.
    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError>;
    /// Refuses a file that is being checked.
    async fn reject_import(
        &self,
        import_id: &str,
        why: &ach::format::FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Accepts a file that was being checked.
    async fn accept_import(
        &self,
        import_id: &str,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// The lines of an import that could not be read, in order.
    async fn rejected_lines(
        &self,
        import_id: &str,
        limit: u32,
    ) -> Result<Vec<RejectedLine>, StoreError>;
    /// Marks decided imports as applied whose rows every one of `databases` has passed.
    /// Gives the ids of those it marked.
    async fn finish_imports(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError>;
    /// How many journal rows of an import `database` has passed, how many of them did not
    /// take effect, and how many there are.
    async fn import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError>;

    /// One hold.
    async fn hold(&self, hold_id: &str) -> Result<Option<HoldRecord>, StoreError>;
    /// Holds, oldest first, those after `after` (time and id).
    async fn holds(
        &self,
        filter: &HoldFilter,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError>;
    /// Open holds whose next attempt is due.
    async fn due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError>;
    /// How many holds are open.
    async fn open_holds(&self) -> Result<u64, StoreError>;
    /// Notifier an open hold that still has the attempts it was read with. False when it has
    /// moved on.
    async fn change_hold(&self, change: &HoldChange) -> Result<bool, StoreError>;

    /// How far a database is, as last recorded here. The truth is in the target.
    async fn progress(&self, database: &str) -> Result<Progress, StoreError>;
    /// Records how far a database is, with the exceptions after the position recorded before
    /// or, when the target was restored and is behind that, after its position now. False,
    /// and nothing is written, when the recorded position is no longer `expected`: another
    /// replica feeds the database, and what the caller heard of it may be out of date.
    async fn record_progress(
        &self,
        database: &str,
        expected: u64,
        position: u64,
        exceptions: &[RowException],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Records why the feed of a database stands still, or with `None` that it goes on. What
    /// it stood still for first keeps its time. Nothing is recorded unless `owner` has the
    /// feed's lease: a replica that lost it knows nothing of the feed.
    async fn record_fault(
        &self,
        database: &str,
        owner: &str,
        fault: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Exceptions of a database that nobody has dealt with, in order.
    async fn open_exceptions(
        &self,
        database: &str,
        limit: u32,
    ) -> Result<Vec<RowException>, StoreError>;
    /// Exceptions of a database with positions in `after + 1 ..= to`.
    async fn exceptions(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<RowException>, StoreError>;
}

/// How far a database is with an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportProgress {
    pub rows: u64,
    pub passed: u64,
    pub exceptions: u64,
    pub first_position: u64,
    pub last_position: u64,
    /// Why the database's feed stands still, if it does.
    pub fault: Option<String>,
}
