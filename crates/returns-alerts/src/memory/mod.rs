//! Incidents in memory: what this replica knows of those in the returns database and, while that does
//! not answer, their only record. It keeps the contract of the databases, and remembers what must
//! still be written there.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertRecord, AlertState, Area, Attempt, IncidentEvent, IncidentRecord, IncidentState,
    IncidentWrite,
};
use returns_store::{IncidentStore, StoreError};
use tables::IncidentTables;

mod tables;

/// Incidents in memory.
#[derive(Default)]
pub struct IncidentMemory {
    tables: Mutex<IncidentTables>,
}

/// An incident that must still be written to the database.
#[derive(Debug, Clone)]
pub(super) struct Unsaved {
    /// As the database had it when it stopped answering.
    pub(super) base: Option<IncidentRecord>,
    pub(super) incident: IncidentRecord,
    pub(super) events: Vec<IncidentEvent>,
    pub(super) alerts: Vec<AlertRecord>,
}

impl IncidentMemory {
    fn lock(&self) -> MutexGuard<'_, IncidentTables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open incidents.
    pub(super) fn open(&self) -> Vec<IncidentRecord> {
        let tables = self.lock();
        let open = |incident: &&IncidentRecord| incident.state == IncidentState::Open;
        tables.incidents.values().filter(open).cloned().collect()
    }

    /// The ids of the open incidents of a subject and area.
    pub(super) fn open_about(&self, subject: &str, area: Area) -> Vec<String> {
        let tables = self.lock();
        let open = tables.incidents.values().filter(|one| {
            one.state == IncidentState::Open && one.area == area && one.subject == subject
        });
        open.map(|one| one.incident_id.clone()).collect()
    }

    /// The open incident with this key or, when none is, the last one.
    pub(super) fn latest(&self, key: &str) -> Option<IncidentRecord> {
        let tables = self.lock();
        let same = tables.incidents.values().filter(|one| one.key == key);
        let latest = same.max_by_key(|one| {
            let open = one.state == IncidentState::Open;
            (open, one.opened_at, one.incident_id.clone())
        });
        latest.cloned()
    }

    /// Takes over what the database has written.
    pub(super) fn absorb(&self, write: &IncidentWrite) {
        self.lock().put(write);
    }

    /// Takes over an attempt that the database has recorded.
    pub(super) fn absorb_claim(&self, alert: &AlertRecord, until: DateTime<Utc>) {
        let mut tables = self.lock();
        tables.put_alert(&AlertRecord {
            attempts: alert.attempts + 1,
            claimed_until: Some(until),
            ..alert.clone()
        });
    }

    /// Takes over how an attempt ended that the database has recorded.
    pub(super) fn absorb_attempt(&self, alert_id: &str, attempt: u32, ended: &Attempt) {
        self.lock().finish(alert_id, attempt, ended);
    }

    /// Forgets everything in favor of what the database has. Must not be called while
    /// something is unsaved.
    pub(super) fn replace(&self, live: Vec<IncidentRecord>, pending: Vec<AlertRecord>) {
        let mut tables = self.lock();
        let by_id = |incident: IncidentRecord| (incident.incident_id.clone(), incident);
        let alert_by_id = |alert: AlertRecord| (alert.alert_id.clone(), alert);
        *tables = IncidentTables {
            incidents: live.into_iter().map(by_id).collect(),
            alerts: pending.into_iter().map(alert_by_id).collect(),
            ..IncidentTables::default()
        };
    }

    /// What must still be written to the database.
    pub(super) fn unsaved(&self) -> Vec<Unsaved> {
        let tables = self.lock();
        let changed = tables.unsaved.iter();
        changed
            .filter_map(|(id, base)| {
                let alerts = tables.alerts.values();
                Some(Unsaved {
                    base: base.clone(),
                    incident: tables.incidents.get(id)?.clone(),
                    events: tables.events.get(id).cloned().unwrap_or_default(),
                    alerts: alerts
                        .filter(|alert| alert.incident_id == *id)
                        .cloned()
                        .collect(),
                })
            })
            .collect()
    }

    /// How many incidents must still be written to the database.
    pub(super) fn count_unsaved(&self) -> usize {
        self.lock().unsaved.len()
    }

    /// The incident was written to the database.
    pub(super) fn saved(&self, incident_id: &str) {
        self.lock().unsaved.remove(incident_id);
    }
}

#[async_trait]
impl IncidentStore for IncidentMemory {
    async fn write_incident(&self, write: &IncidentWrite) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let id = &write.incident.incident_id;
        let base = tables.incidents.get(id).cloned();
        let written = tables.write(write);
        if written {
            tables.unsaved.entry(id.clone()).or_insert(base);
        }
        Ok(written)
    }

    async fn incident(&self, incident_id: &str) -> Result<Option<IncidentRecord>, StoreError> {
        Ok(self.lock().incidents.get(incident_id).cloned())
    }

    async fn latest_incident(&self, key: &str) -> Result<Option<IncidentRecord>, StoreError> {
        Ok(self.latest(key))
    }

    async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        let place = |one: &IncidentRecord| (one.opened_at, one.incident_id.clone());
        let tables = self.lock();
        let mut found: Vec<IncidentRecord> = tables
            .incidents
            .values()
            .filter(|one| state.is_none_or(|state| one.state == state))
            .filter(|one| before.as_ref().is_none_or(|before| place(one) < *before))
            .cloned()
            .collect();
        found.sort_by_key(|one| std::cmp::Reverse(place(one)));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn live_incidents(
        &self,
        closed_after: DateTime<Utc>,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        let tables = self.lock();
        let live = tables.incidents.values().filter(|one| match &one.closed {
            None => true,
            Some(closed) => closed.at > closed_after,
        });
        Ok(live.cloned().collect())
    }

    async fn incident_events(&self, incident_id: &str) -> Result<Vec<IncidentEvent>, StoreError> {
        let tables = self.lock();
        let mut events = tables.events.get(incident_id).cloned().unwrap_or_default();
        events.sort_by_key(|event| (event.at, event.number, event.event_id.clone()));
        Ok(events)
    }

    async fn alerts_of(&self, incident_ids: &[String]) -> Result<Vec<AlertRecord>, StoreError> {
        let ids: BTreeSet<&String> = incident_ids.iter().collect();
        let tables = self.lock();
        let alerts = tables.alerts.values();
        let mut alerts: Vec<AlertRecord> = alerts
            .filter(|alert| ids.contains(&alert.incident_id))
            .cloned()
            .collect();
        alerts.sort_by_key(|one| (one.created_at, one.channel.clone(), one.alert_id.clone()));
        Ok(alerts)
    }

    async fn pending_alerts(&self, limit: u32) -> Result<Vec<AlertRecord>, StoreError> {
        let tables = self.lock();
        let pending = |alert: &&AlertRecord| alert.state == AlertState::Pending;
        let mut alerts: Vec<AlertRecord> =
            tables.alerts.values().filter(pending).cloned().collect();
        alerts.sort_by_key(|alert| (alert.next_attempt_at, alert.alert_id.clone()));
        alerts.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(alerts)
    }

    async fn claim_alert(
        &self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tables = self.lock();
        let claimed = tables.claim(alert, now, until);
        if claimed {
            tables.mark_unsaved(&alert.incident_id);
        }
        Ok(claimed)
    }

    async fn finish_alert(
        &self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Result<(), StoreError> {
        let mut tables = self.lock();
        if let Some(incident_id) = tables.finish(alert_id, attempt, ended) {
            tables.mark_unsaved(&incident_id);
        }
        Ok(())
    }
}
