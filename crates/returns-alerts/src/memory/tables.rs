//! What the memory holds. It changes as the tables of a database do.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertRecord, AlertState, Attempt, IncidentEvent, IncidentRecord, IncidentState, IncidentWrite,
};

/// What is known.
#[derive(Default)]
pub(super) struct IncidentTables {
    pub(super) incidents: BTreeMap<String, IncidentRecord>,
    pub(super) events: BTreeMap<String, Vec<IncidentEvent>>,
    pub(super) alerts: BTreeMap<String, AlertRecord>,
    /// What changed while the database did not answer, by incident, with the incident as the
    /// database had it, if it did.
    pub(super) unsaved: BTreeMap<String, Option<IncidentRecord>>,
}

impl IncidentTables {
    /// The write as a database would do it; false when it would not.
    pub(super) fn write(&mut self, write: &IncidentWrite) -> bool {
        let incident = &write.incident;
        let known = self.incidents.get(&incident.incident_id);
        if known.map(|known| known.version) != write.expected {
            return false;
        }
        let taken = incident.state == IncidentState::Open
            && self.incidents.values().any(|other| {
                other.state == IncidentState::Open
                    && other.key == incident.key
                    && other.incident_id != incident.incident_id
            });
        if !taken {
            self.put(write);
        }
        !taken
    }

    /// Takes over what is true elsewhere.
    pub(super) fn put(&mut self, write: &IncidentWrite) {
        let id = &write.incident.incident_id;
        self.incidents.insert(id.clone(), write.incident.clone());
        let events = self.events.entry(id.clone()).or_default();
        for event in &write.events {
            if !events.iter().any(|known| known.event_id == event.event_id) {
                events.push(event.clone());
            }
        }
        for alert in &write.alerts {
            self.put_alert(alert);
        }
        if let Some(at) = write.release_at {
            for alert in self.alerts.values_mut() {
                if alert.incident_id == *id
                    && alert.state == AlertState::Pending
                    && alert.attempts == 0
                {
                    alert.next_attempt_at = at;
                }
            }
        }
    }

    pub(super) fn put_alert(&mut self, new: &AlertRecord) {
        if new.state == AlertState::Pending {
            for alert in self.alerts.values_mut() {
                if alert.incident_id == new.incident_id
                    && alert.channel == new.channel
                    && alert.alert_id != new.alert_id
                    && alert.state == AlertState::Pending
                {
                    alert.state = AlertState::Superseded;
                }
            }
        }
        let known = self.alerts.get(&new.alert_id);
        if known.is_none_or(|known| known.state == AlertState::Pending) {
            self.alerts.insert(new.alert_id.clone(), new.clone());
        }
    }

    pub(super) fn mark_unsaved(&mut self, incident_id: &str) {
        if !self.unsaved.contains_key(incident_id) {
            let base = self.incidents.get(incident_id).cloned();
            self.unsaved.insert(incident_id.to_owned(), base);
        }
    }

    pub(super) fn claim(
        &mut self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> bool {
        let claimed = |other: &AlertRecord| other.claimed_until.is_some_and(|end| end > now);
        let busy = self.alerts.values().any(|other| {
            other.incident_id == alert.incident_id
                && other.channel == alert.channel
                && claimed(other)
        });
        let Some(known) = self.alerts.get_mut(&alert.alert_id) else {
            return false;
        };
        if busy || known.state != AlertState::Pending || known.attempts != alert.attempts {
            return false;
        }
        known.attempts += 1;
        known.claimed_until = Some(until);
        true
    }

    /// Whether there was such an attempt.
    pub(super) fn finish(
        &mut self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Option<String> {
        let alert = self
            .alerts
            .get_mut(alert_id)
            .filter(|alert| alert.attempts == attempt)?;
        alert.claimed_until = None;
        let pending = alert.state == AlertState::Pending;
        match ended {
            Attempt::Sent { at } => {
                alert.sent_at = Some(*at);
                alert.last_error = None;
                if pending {
                    alert.state = AlertState::Sent;
                }
            }
            Attempt::Failed { error, next_at } => {
                alert.last_error = Some(error.clone());
                match next_at {
                    Some(next_at) => alert.next_attempt_at = *next_at,
                    None if pending => alert.state = AlertState::Undeliverable,
                    None => {}
                }
            }
        }
        Some(alert.incident_id.clone())
    }
}
