//! The daily job: what operators have changed of a source, runs, and the files that were taken
//! from the acquirer.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::schedule::{Outcome, PlanText, Trigger};

/// A source as operators have left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceState {
    pub(crate) source: String,
    /// Slots before this moment are nobody's business.
    pub(crate) known_since: DateTime<Utc>,
    /// Due times before this moment are nobody's business, unless they were looked at already.
    pub(crate) due_since: DateTime<Utc>,
    /// Instead of the configuration's plan.
    pub(crate) plan: Option<PlanText>,
    pub(crate) paused: Option<Paused>,
    /// When it is tried again, after a run that did not go well.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// How often it was tried again since the last run that went well.
    pub(crate) retries: u32,
    /// Counts the changes by operators.
    pub(crate) version: u64,
}

/// Who stopped a source's schedule, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) reason: String,
}

/// A change by an operator. It is done only if the source still is as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceChange {
    pub(crate) source: String,
    pub(crate) seen_version: u64,
    pub(crate) to: SourceChangeTo,
    pub(crate) audit: AuditRecord,
}

/// What an operator changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceChangeTo {
    /// Another plan; `None` for the configuration's. Slots count from this moment on; a file
    /// that is due stays due.
    Plan(Option<PlanText>),
    /// No more runs by the clock.
    Paused(Paused),
    /// Runs by the clock again; slots and due times that were paused over are not made up for.
    Resumed,
}

/// Who did what, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRecord {
    pub(crate) audit_id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) reason: String,
}

/// A run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRun {
    pub(crate) run_id: String,
    pub(crate) source: String,
    /// What it runs for; the same one never runs twice.
    pub(crate) slot: String,
    /// The moment of that slot, when it is one of the schedule.
    pub(crate) slot_at: Option<DateTime<Utc>>,
    pub(crate) trigger: Trigger,
    /// Who asked for it.
    pub(crate) actor: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
}

/// What became of a run that was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is the caller's.
    Started,
    /// Its slot has run, or runs.
    SlotTaken,
    /// Another run of the source goes on.
    Busy { run_id: String },
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunRecord {
    pub(crate) new: NewRun,
    pub(crate) ended: Option<RunEnd>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunEnd {
    pub(crate) at: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    /// One line for people.
    pub(crate) summary: String,
    /// The kind of the cause, when something was wrong.
    pub(crate) cause: Option<String>,
    pub(crate) files: Vec<RunFile>,
}

/// What a run found of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunFile {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    pub(crate) import_id: Option<String>,
    pub(crate) outcome: Outcome,
    /// One line for people.
    pub(crate) what: String,
}

/// A file at the acquirer, as its listing told it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RemoteKey {
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    pub(crate) modified_at: DateTime<Utc>,
}

/// A file at the acquirer that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) import_id: String,
    pub(crate) taken_at: DateTime<Utc>,
    pub(crate) put_away_at: Option<DateTime<Utc>>,
}

/// A file that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) import_id: String,
    pub(crate) received_at: DateTime<Utc>,
    /// When it was last changed at the acquirer, as their server says; 1970 or `None` where
    /// it does not.
    pub(crate) modified_at: Option<DateTime<Utc>>,
}

/// What the daily job keeps in the returns database.
#[async_trait]
pub(crate) trait JobStore: Send + Sync {
    /// A source's state; one that is seen for the first time is known since `now`.
    async fn source_state(
        &self,
        source: &str,
        now: DateTime<Utc>,
    ) -> Result<SourceState, StoreError>;
    /// Carries out an operator's change and keeps who did it. False when the source has been
    /// changed since.
    async fn change_source(&self, change: &SourceChange) -> Result<bool, StoreError>;
    /// What operators did, newest first.
    async fn audit(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;
    /// Keeps what an operator did that changes no source's state.
    async fn record_audit(&self, audit: &AuditRecord) -> Result<(), StoreError>;

    /// Begins a run for `owner`, unless its slot is taken or another run of the source goes on.
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
    /// Lets the lease of a run go on. False when another replica has the run, or it has ended.
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
        outcomes: &[Outcome],
    ) -> Result<Option<RunRecord>, StoreError>;
    /// The newest moment of a slot by the cron expression that has run, or runs.
    async fn last_slot_at(&self, source: &str) -> Result<Option<DateTime<Utc>>, StoreError>;
    /// Whether a slot has run, or runs.
    async fn slot_taken(&self, source: &str, slot: &str) -> Result<bool, StoreError>;

    /// Whether a file at the acquirer was taken, and what it became.
    async fn taken(&self, file: &RemoteKey) -> Result<Option<Taken>, StoreError>;
    /// Keeps that a file was taken. Said twice, the first stays.
    async fn record_taken(
        &self,
        file: &RemoteKey,
        import_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Keeps that a file was moved or deleted at the acquirer.
    async fn record_put_away(&self, file: &RemoteKey, at: DateTime<Utc>) -> Result<(), StoreError>;
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
