//! Incidents, what happened to them, and the alerts about them.

use chrono::{DateTime, Utc};
use strum::{EnumString, IntoStaticStr};

use super::cause::{Area, Severity};
use super::content::Content;

/// Whether an incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum IncidentState {
    /// The problem persists.
    Open,
    /// It is over.
    Closed,
}

impl IncidentState {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Who did something to an incident, when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub at: DateTime<Utc>,
    pub by: String,
    pub note: String,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRecord {
    pub incident_id: String,
    /// Cause and subject: of those with the same key at most one is open.
    pub key: String,
    /// The cause's name for machines.
    pub cause: String,
    pub subject: String,
    pub area: Area,
    pub severity: Severity,
    pub state: IncidentState,
    /// What people read about it.
    pub content: Content,
    pub source: Option<String>,
    pub import_id: Option<String>,
    pub run_id: Option<String>,
    /// How often it was observed.
    pub seen: u64,
    /// How often it was reopened.
    pub reopened: u64,
    pub opened_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub next_try_at: Option<DateTime<Utc>>,
    /// Since when it seems to be over, of an incident that was reopened before.
    pub quiet_since: Option<DateTime<Utc>>,
    pub acknowledged: Option<Signature>,
    pub closed: Option<Signature>,
    /// When channels were last notified that it persists.
    pub alerted_at: DateTime<Utc>,
    /// Since when it waits for an acknowledgement: it was opened, reopened or escalated then.
    pub waiting_since: DateTime<Utc>,
    pub escalations: u64,
    /// The channels that were notified of it. They are notified when it ends, too.
    pub notified: Vec<String>,
    /// Grows with each change.
    pub version: u64,
}

/// What can happen to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum IncidentEventKind {
    Opened,
    Diagnosed,
    Updated,
    Reopened,
    Quiet,
    Acknowledged,
    Escalated,
    Recovered,
    Closed,
    Merged,
}

impl IncidentEventKind {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Something that happened to an incident. Never changed afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentEvent {
    pub event_id: String,
    pub incident_id: String,
    /// The version of the incident that it made.
    pub number: u64,
    pub at: DateTime<Utc>,
    pub what: IncidentEventKind,
    /// Who did it: a person, or the service.
    pub actor: String,
    pub note: String,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AlertKind {
    /// Something is wrong.
    Opened,
    /// It was observed again.
    Updated,
    /// It came back after it had ended.
    Reopened,
    /// Nobody has acknowledged it.
    Escalated,
    /// Somebody has acknowledged it.
    Acknowledged,
    /// The problem is gone.
    Recovered,
    /// A person has closed it.
    Closed,
}

impl AlertKind {
    /// Its name in the database and in alerts.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// What has become of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AlertState {
    /// It is still to be delivered.
    Pending,
    /// The channel took it.
    Sent,
    /// It was tried for a day, and is undeliverable.
    Undeliverable,
    /// A newer one of the same incident took its place.
    Superseded,
}

impl AlertState {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// An alert about an incident for one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRecord {
    pub alert_id: String,
    pub incident_id: String,
    pub channel: String,
    pub kind: AlertKind,
    /// The alert that another channel did not take, which this one replaces.
    pub fallback_of: Option<String>,
    pub state: AlertState,
    pub attempts: u32,
    pub created_at: DateTime<Utc>,
    pub next_attempt_at: DateTime<Utc>,
    /// Until then a replica is delivering it.
    pub claimed_until: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed. Never holds a secret.
    pub last_error: Option<String>,
}

/// A change of an incident with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentWrite {
    /// The version that it was decided on; `None` for a new incident.
    pub expected: Option<u64>,
    pub incident: IncidentRecord,
    pub events: Vec<IncidentEvent>,
    /// Each takes the place of what was pending for its channel.
    pub alerts: Vec<AlertRecord>,
    /// When alerts of this incident that were not tried yet may go, instead of when they said.
    pub release_at: Option<DateTime<Utc>>,
}

/// How an attempt at an alert ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The channel took it.
    Sent { at: DateTime<Utc> },
    /// It did not; `next_at` is when it is tried again, `None` when it is given up.
    Failed {
        error: String,
        next_at: Option<DateTime<Utc>>,
    },
}
