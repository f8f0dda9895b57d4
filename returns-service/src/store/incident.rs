//! Incidents, what happened to them, and the alerts about them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;
use crate::incident::{Area, Content, Severity};

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IncidentState {
    /// Something is not right.
    Open,
    /// It is over.
    Closed,
}

impl IncidentState {
    pub(crate) const ALL: [Self; 2] = [Self::Open, Self::Closed];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Who did something to an incident, when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) note: String,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IncidentRecord {
    pub(crate) incident_id: String,
    /// Cause and subject: of those with the same key at most one is open.
    pub(crate) key: String,
    /// The cause's name for machines.
    pub(crate) cause: String,
    pub(crate) subject: String,
    pub(crate) area: Area,
    pub(crate) severity: Severity,
    pub(crate) state: IncidentState,
    /// What people are told of it.
    pub(crate) content: Content,
    pub(crate) source: Option<String>,
    pub(crate) import_id: Option<String>,
    pub(crate) run_id: Option<String>,
    /// How often it was met.
    pub(crate) seen: u64,
    /// How often it came back after it was over.
    pub(crate) reopened: u64,
    pub(crate) opened_at: DateTime<Utc>,
    pub(crate) last_seen_at: DateTime<Utc>,
    pub(crate) next_try_at: Option<DateTime<Utc>>,
    /// Since when it seems to be over, of an incident that has come back before.
    pub(crate) quiet_since: Option<DateTime<Utc>>,
    pub(crate) acknowledged: Option<Signature>,
    pub(crate) closed: Option<Signature>,
    /// When channels were last told that it goes on.
    pub(crate) alerted_at: DateTime<Utc>,
    /// Since when it waits for an acknowledgement: it was opened, reopened or escalated then.
    pub(crate) waiting_since: DateTime<Utc>,
    pub(crate) escalations: u64,
    /// The channels that were told of it, which are told how it ends.
    pub(crate) told: Vec<String>,
    /// Grows with each change.
    pub(crate) version: u64,
}

/// What can happen to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
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

impl EventKind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Opened,
        Self::Diagnosed,
        Self::Updated,
        Self::Reopened,
        Self::Quiet,
        Self::Acknowledged,
        Self::Escalated,
        Self::Recovered,
        Self::Closed,
        Self::Merged,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Diagnosed => "diagnosed",
            Self::Updated => "updated",
            Self::Reopened => "reopened",
            Self::Quiet => "quiet",
            Self::Acknowledged => "acknowledged",
            Self::Escalated => "escalated",
            Self::Recovered => "recovered",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// Something that happened to an incident. Never changed afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IncidentEvent {
    pub(crate) event_id: String,
    pub(crate) incident_id: String,
    /// The version of the incident that it made.
    pub(crate) number: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) what: EventKind,
    /// Who did it: a person, or the service.
    pub(crate) actor: String,
    pub(crate) note: String,
}

/// What an alert tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlertKind {
    /// Something is not right.
    Opened,
    /// It still is not.
    Updated,
    /// It had been right for a moment.
    Reopened,
    /// Nobody has acknowledged it.
    Escalated,
    /// Somebody has.
    Acknowledged,
    /// It is right again.
    Recovered,
    /// A person has closed it.
    Closed,
}

impl AlertKind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Opened,
        Self::Updated,
        Self::Reopened,
        Self::Escalated,
        Self::Acknowledged,
        Self::Recovered,
        Self::Closed,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Reopened => "reopened",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Recovered => "recovered",
            Self::Closed => "closed",
        }
    }
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlertState {
    /// It is still to be delivered.
    Pending,
    /// The channel took it.
    Sent,
    /// It was tried for a day.
    Dead,
    /// A newer one of the same incident took its place.
    Superseded,
}

impl AlertState {
    pub(crate) const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Dead, Self::Superseded];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Superseded => "superseded",
        }
    }
}

/// What one channel is to be told about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlertRecord {
    pub(crate) alert_id: String,
    pub(crate) incident_id: String,
    pub(crate) channel: String,
    pub(crate) kind: AlertKind,
    /// The alert that another channel did not take, in whose place this one is.
    pub(crate) fallback_of: Option<String>,
    pub(crate) state: AlertState,
    pub(crate) attempts: u32,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) next_attempt_at: DateTime<Utc>,
    /// Until then a replica is delivering it.
    pub(crate) claimed_until: Option<DateTime<Utc>>,
    pub(crate) sent_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed. Never holds a secret.
    pub(crate) last_error: Option<String>,
}

/// A change of an incident with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IncidentWrite {
    /// The version that it was decided on; `None` for a new incident.
    pub(crate) expected: Option<u64>,
    pub(crate) incident: IncidentRecord,
    pub(crate) events: Vec<IncidentEvent>,
    /// Each takes the place of what was pending for its channel.
    pub(crate) alerts: Vec<AlertRecord>,
    /// When alerts of this incident that were not tried yet may go, instead of when they said.
    pub(crate) release_at: Option<DateTime<Utc>>,
}

/// How an attempt at an alert ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The channel took it.
    Sent { at: DateTime<Utc> },
    /// It did not; `next_at` is when it is tried again, `None` when it is given up.
    Failed {
        error: String,
        next_at: Option<DateTime<Utc>>,
    },
}

/// Incidents in the returns database, and in memory while that does not answer.
#[async_trait]
pub(crate) trait IncidentStore: Send + Sync {
    /// Writes a change, whole or not at all. False when the incident has another version by
    /// now, or another one with its key is open.
    async fn write_incident(&self, write: &IncidentWrite) -> Result<bool, StoreError>;
    /// One incident.
    async fn incident(&self, incident_id: &str) -> Result<Option<IncidentRecord>, StoreError>;
    /// The open incident with this key or, when none is, the one that was opened last.
    async fn latest_incident(&self, key: &str) -> Result<Option<IncidentRecord>, StoreError>;
    /// Incidents, newest first, those opened before `before` (time and id).
    async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<IncidentRecord>, StoreError>;
    /// Open incidents, and those that were closed after `closed_after`.
    async fn live_incidents(
        &self,
        closed_after: DateTime<Utc>,
    ) -> Result<Vec<IncidentRecord>, StoreError>;
    /// What happened to an incident, in order.
    async fn incident_events(&self, incident_id: &str) -> Result<Vec<IncidentEvent>, StoreError>;
    /// The alerts about these incidents, in order of time.
    async fn alerts_of(&self, incident_ids: &[String]) -> Result<Vec<AlertRecord>, StoreError>;
    /// Alerts that are still to be delivered, the longest due first.
    async fn pending_alerts(&self, limit: u32) -> Result<Vec<AlertRecord>, StoreError>;
    /// Takes an alert for one more attempt until `until`. False when it was tried meanwhile
    /// (it no longer has `attempts`), is not pending any more, or while another alert of the
    /// same incident is being delivered by the same channel: they must not overtake each other.
    async fn claim_alert(
        &self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError>;
    /// Keeps how the attempt with this number ended. An alert that was superseded meanwhile
    /// stays so.
    async fn finish_alert(
        &self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Result<(), StoreError>;
}
