//! The daily job: what operators have changed of a source, runs, and the files that were taken
//! from the acquirer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::audit::AuditRecord;
use super::plan::PlanText;
use super::run_outcome::{RunOutcome, Trigger};

/// A source as operators have left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    pub source: String,
    /// Slots before this time are ignored.
    pub known_since: DateTime<Utc>,
    /// Due times before this time are ignored, unless they were checked already.
    pub due_since: DateTime<Utc>,
    /// Instead of the configuration's plan.
    pub plan: Option<PlanText>,
    pub paused: Option<Paused>,
    /// When it is tried again, after a run that did not go well.
    pub retry_at: Option<DateTime<Utc>>,
    /// How often it was tried again since the last run that went well.
    pub retries: u32,
    /// Counts the changes by operators.
    pub version: u64,
}

/// Who stopped a source's schedule, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    pub at: DateTime<Utc>,
    pub by: String,
    pub reason: String,
}

/// A change by an operator. It is done only if the source still is as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    pub source: String,
    pub seen_version: u64,
    pub to: SourceChangeTo,
    pub audit: AuditRecord,
}

/// What an operator changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceChangeTo {
    /// Another plan; `None` for the configuration's. Slots count from this time on; a file
    /// that is due stays due.
    Plan(Option<PlanText>),
    /// No more runs by the clock.
    Paused(Paused),
    /// Runs by the clock again; slots and due times that were paused over are not made up for.
    Resumed,
}

/// A run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    pub run_id: String,
    pub source: String,
    /// What it runs for; the same one never runs twice.
    pub slot: String,
    /// The moment of that slot, when it is one of the schedule.
    pub slot_at: Option<DateTime<Utc>>,
    pub trigger: Trigger,
    /// Who asked for it.
    pub actor: Option<String>,
    pub started_at: DateTime<Utc>,
}

/// What became of a run that was to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the caller's.
    Started,
    /// Its slot has run, or runs.
    SlotTaken,
    /// Another run of the source goes on.
    Busy { run_id: String },
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    pub new: NewRun,
    pub ended: Option<RunEnd>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    pub at: DateTime<Utc>,
    pub outcome: RunOutcome,
    /// One line for people.
    pub summary: String,
    /// The kind of the cause, when something was wrong.
    pub cause: Option<String>,
    pub files: Vec<RunFile>,
}

/// What a run found of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    pub name: String,
    pub size_bytes: u64,
    pub import_id: Option<String>,
    pub outcome: RunOutcome,
    /// One line for people.
    pub what: String,
}

/// A file at the acquirer, as its listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RemoteKey {
    pub source: String,
    pub name: String,
    pub size_bytes: u64,
    pub modified_at: DateTime<Utc>,
}

/// A file at the acquirer that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name, or that of the file in it where it is an archive with several.
    pub name: String,
    pub import_id: String,
    pub taken_at: DateTime<Utc>,
    pub archived_remotely_at: Option<DateTime<Utc>>,
}

/// A file that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    pub import_id: String,
    pub received_at: DateTime<Utc>,
    /// When it was last changed at the acquirer, as their server says; 1970 or `None` where
    /// it does not.
    pub modified_at: Option<DateTime<Utc>>,
}
