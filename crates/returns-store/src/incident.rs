//! Incidents, what happened to them, and the alerts about them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertRecord, Attempt, IncidentEvent, IncidentRecord, IncidentState, IncidentWrite,
};

use crate::StoreError;

/// Incidents in the returns database, and in memory while that does not answer.
#[async_trait]
pub trait IncidentStore: Send + Sync {
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
    /// Records how the attempt with this number ended. An alert that was superseded meanwhile
    /// stays so.
    async fn finish_alert(
        &self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Result<(), StoreError>;
}
