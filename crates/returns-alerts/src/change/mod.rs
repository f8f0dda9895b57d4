//! How an incident changes: pure functions of what it was and what happened. Each returns a write;
//! the store decides whether that wins.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, Utc};
use returns_model::ids;
use returns_model::incident::{
    AlertKind, AlertRecord, AlertState, Area, IncidentEvent, IncidentEventKind, IncidentRecord,
    IncidentState, IncidentWrite,
};

use super::rules::{AlertRules, after};

mod end;
mod observe;
mod people;

pub(super) use end::{cleared, due, fallen_back};
pub(super) use observe::{Observed, diagnosed, observed};
pub(super) use people::{acknowledged, closed};

/// How long an alert waits for its diagnosis. After that any replica may deliver it as it is: the
/// one that diagnoses may have died.
const HOLD: Duration = Duration::from_secs(8);

/// Who acts where no person does.
pub const SERVICE: &str = "service";

/// A time as both databases keep it.
pub(super) fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// Puts a change together: the next version, its event and its alerts.
struct IncidentChange {
    incident: IncidentRecord,
    expected: Option<u64>,
    at: DateTime<Utc>,
    events: Vec<IncidentEvent>,
    alerts: Vec<AlertRecord>,
}

impl IncidentChange {
    fn of(incident: &IncidentRecord, at: DateTime<Utc>) -> Self {
        let mut next = incident.clone();
        next.version += 1;
        Self {
            incident: next,
            expected: Some(incident.version),
            at,
            events: Vec::new(),
            alerts: Vec::new(),
        }
    }

    fn event(mut self, what: IncidentEventKind, actor: &str, note: &str) -> Self {
        let event = event(&self.incident, what, self.at, actor, note);
        self.events.push(event);
        self
    }

    /// Adds an alert for each of `channels`, which leaves after `hold` at the earliest.
    fn notify(mut self, kind: AlertKind, channels: Vec<String>, hold: Duration) -> Self {
        for channel in channels {
            let alert = alert(&self.incident, kind, &channel, self.at, hold);
            self.alerts.push(alert);
            if !self.incident.notified.contains(&channel) {
                self.incident.notified.push(channel);
            }
        }
        self
    }

    fn write(self) -> IncidentWrite {
        IncidentWrite {
            expected: self.expected,
            incident: self.incident,
            events: self.events,
            alerts: self.alerts,
            release_at: None,
        }
    }
}

pub(super) fn event(
    incident: &IncidentRecord,
    what: IncidentEventKind,
    at: DateTime<Utc>,
    actor: &str,
    note: &str,
) -> IncidentEvent {
    IncidentEvent {
        event_id: ids::incident_event_id(
            &incident.incident_id,
            incident.version,
            what.as_str(),
            actor,
            &at,
        ),
        incident_id: incident.incident_id.clone(),
        number: incident.version,
        at,
        what,
        actor: actor.to_owned(),
        note: note.to_owned(),
    }
}

pub(super) fn alert(
    incident: &IncidentRecord,
    kind: AlertKind,
    channel: &str,
    at: DateTime<Utc>,
    hold: Duration,
) -> AlertRecord {
    AlertRecord {
        alert_id: ids::alert_id(
            &incident.incident_id,
            incident.version,
            kind.as_str(),
            channel,
        ),
        incident_id: incident.incident_id.clone(),
        channel: channel.to_owned(),
        kind,
        fallback_of: None,
        state: AlertState::Pending,
        attempts: 0,
        created_at: at,
        next_attempt_at: after(at, hold),
        claimed_until: None,
        sent_at: None,
        last_error: None,
    }
}

fn is_open(incident: &IncidentRecord) -> bool {
    incident.state == IncidentState::Open
}

/// How long alerts wait for a diagnosis. That a channel does not deliver needs none, nor do holds,
/// nor what a check of everything has found.
fn hold(area: Area) -> Duration {
    match area {
        Area::Held | Area::Waiting | Area::Alerting | Area::Integrity | Area::Process => {
            Duration::ZERO
        }
        Area::Reach
        | Area::Presence
        | Area::Content
        | Area::Disk
        | Area::Bucket
        | Area::Store
        | Area::Target
        | Area::Refusal
        | Area::Import
        | Area::Webhook
        | Area::Stream
        | Area::Clock => HOLD,
    }
}

/// The channels that are notified of an incident's changes: those that were notified before, and
/// those that get every alert.
fn followers(incident: &IncidentRecord, rules: &AlertRules) -> Vec<String> {
    let mut channels = rules.regular(incident);
    for notified in &incident.notified {
        if !channels.contains(notified) {
            channels.push(notified.clone());
        }
    }
    channels
}
