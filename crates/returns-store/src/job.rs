//! The daily job: what operators have changed of a source, runs, and the files that were taken
//! from the acquirer.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::job::{
    Begun, Came, NewRun, RemoteKey, RunEnd, RunRecord, SourceChange, SourceState, Taken,
};
use returns_model::run_outcome::RunOutcome;

use crate::StoreError;

/// What operators have changed of sources, and who did what.
#[async_trait]
pub trait SourceStore: Send + Sync {
    /// A source's state; one that is seen for the first time is known since `now`.
    async fn source_state(
        &self,
        source: &str,
        now: DateTime<Utc>,
    ) -> Result<SourceState, StoreError>;
    /// Makes an operator's change and records who did it. False when the source has been
    /// changed since.
    async fn change_source(&self, change: &SourceChange) -> Result<bool, StoreError>;
}

/// Runs of the daily job.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Begins a run for `owner`, unless its slot is taken or another run of the source has not ended.
    async fn begin_run(
        &self,
        new: &NewRun,
        owner: &str,
        lease: Duration,
    ) -> Result<Begun, StoreError>;
    /// Takes over runs whose lease has run out, or which are `owner`'s already, but none of
    /// `besides`.
    async fn take_over_runs(
        &self,
        owner: &str,
        besides: &[String],
        lease: Duration,
    ) -> Result<Vec<RunRecord>, StoreError>;
    /// Prolongs the lease of a run. False when another replica has the run, or it has ended.
    async fn renew_run(
        &self,
        run_id: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError>;
    /// Ends a run that is still `owner`'s, and says when the source is tried again. False when
    /// it is another's, or has ended.
    async fn end_run(
        &self,
        run_id: &str,
        owner: &str,
        end: &RunEnd,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError>;
    /// One run.
    async fn run(&self, run_id: &str) -> Result<Option<RunRecord>, StoreError>;
    /// Runs, newest first, those that began before `before` (time and id).
    async fn runs(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<RunRecord>, StoreError>;
    /// The last run of a source that ended with one of `outcomes`.
    async fn last_run(
        &self,
        source: &str,
        outcomes: &[RunOutcome],
    ) -> Result<Option<RunRecord>, StoreError>;
    /// The newest moment of a slot by the cron expression that has run, or runs.
    async fn last_slot_at(&self, source: &str) -> Result<Option<DateTime<Utc>>, StoreError>;
    /// Whether a slot has run, or runs.
    async fn slot_taken(&self, source: &str, slot: &str) -> Result<bool, StoreError>;
}

/// Files at the acquirer that were taken, and the imports they became.
#[async_trait]
pub trait RemoteFileStore: Send + Sync {
    /// What a file at the acquirer became when it was taken: nothing yet, one import, or one of
    /// each file in an archive.
    async fn taken(&self, file: &RemoteKey) -> Result<Vec<Taken>, StoreError>;
    /// Records, all at once, that the files of one file at the acquirer were taken, and the
    /// imports they became. What was recorded first stays.
    async fn record_taken(
        &self,
        files: &[(RemoteKey, String)],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Records that a file was archived, which is moved or deleted, at the acquirer.
    async fn record_remote_archival(
        &self,
        file: &RemoteKey,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Files of a source that came since `from`, in order: what was received then, and what
    /// was taken again since and says that there is nothing. Such a file has the same bytes on
    /// every quiet day; any other with known bytes is an old one.
    async fn came_since(&self, source: &str, from: DateTime<Utc>) -> Result<Vec<Came>, StoreError>;
    /// Ids of the imports that files of a source became which were taken since a moment.
    async fn taken_since(
        &self,
        source: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError>;
    /// Ids of a source's imports that are not applied everywhere and not refused, oldest first.
    async fn unfinished_imports(&self, source: &str) -> Result<Vec<String>, StoreError>;
}
