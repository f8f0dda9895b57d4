//! What happens to an incident without a person: it recovers, it is escalated, or a channel does not
//! take an alert of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertKind, AlertRecord, Area, IncidentEventKind, IncidentRecord, IncidentState, IncidentWrite,
    Signature,
};

use super::{IncidentChange, SERVICE, followers, is_open, to_micros};
use crate::rules::{AlertRules, after};

/// The cause is gone. An incident that was reopened before recovers only after it was quiet for a
/// while, so that one which comes and goes does not flood people with alerts.
pub(crate) fn cleared(
    incident: &IncidentRecord,
    rules: &AlertRules,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let (at, now) = (to_micros(at), to_micros(now));
    // What was observed after that time still stands. A clock that was ahead and was set back shows an
    // earlier time, and is right now.
    let is_older = at < incident.last_seen_at && incident.area != Area::Clock;
    if !is_open(incident) || is_older {
        return None;
    }
    if incident.reopened == 0 {
        return Some(recovered(incident, rules, at, now));
    }
    if incident.quiet_since.is_some() {
        return None;
    }
    let mut change = IncidentChange::of(incident, now);
    change.incident.quiet_since = Some(at);
    Some(change.event(IncidentEventKind::Quiet, SERVICE, "").write())
}

/// What is due by the clock: the end of a quiet time, or an escalation.
pub(crate) fn due(
    incident: &IncidentRecord,
    rules: &AlertRules,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let now = to_micros(now);
    if !is_open(incident) {
        return None;
    }
    if let Some(since) = incident.quiet_since {
        let over = now >= after(since, rules.reopen_within);
        return over.then(|| recovered(incident, rules, since, now));
    }
    let waits = incident.acknowledged.is_none() && incident.escalations < rules.escalate_times;
    if !waits || now < after(incident.waiting_since, rules.escalate_after) {
        return None;
    }
    let channels = rules.escalation(incident);
    if channels.is_empty() {
        return None;
    }
    let mut change = IncidentChange::of(incident, now);
    change.incident.escalations += 1;
    change.incident.waiting_since = now;
    let note = format!("to {}", channels.join(", "));
    Some(
        change
            .event(IncidentEventKind::Escalated, SERVICE, &note)
            .notify(AlertKind::Escalated, channels, Duration::ZERO)
            .write(),
    )
}

fn recovered(
    incident: &IncidentRecord,
    rules: &AlertRules,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> IncidentWrite {
    end(
        incident,
        Signature {
            at,
            by: SERVICE.to_owned(),
            note: String::new(),
        },
        (IncidentEventKind::Recovered, AlertKind::Recovered),
        rules,
        now,
    )
}

pub(super) fn end(
    incident: &IncidentRecord,
    signature: Signature,
    (what, kind): (IncidentEventKind, AlertKind),
    rules: &AlertRules,
    now: DateTime<Utc>,
) -> IncidentWrite {
    let mut change = IncidentChange::of(incident, now);
    change.incident.state = IncidentState::Closed;
    change.incident.quiet_since = None;
    change.incident.next_try_at = None;
    let channels = followers(incident, rules);
    let (by, note) = (signature.by.clone(), signature.note.clone());
    change.incident.closed = Some(signature);
    change
        .event(what, &by, &note)
        .notify(kind, channels, Duration::ZERO)
        .write()
}

/// A channel did not take an alert: the fallback channels get it, unless they got one of the
/// incident since. `alerts` are all of the incident.
pub(crate) fn fallen_back(
    incident: &IncidentRecord,
    failed: &AlertRecord,
    alerts: &[AlertRecord],
    rules: &AlertRules,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let now = to_micros(now);
    let channels: Vec<String> = rules
        .fallback(incident)
        .into_iter()
        .filter(|channel| {
            *channel != failed.channel
                && !alerts
                    .iter()
                    .any(|alert| alert.channel == *channel && alert.created_at >= failed.created_at)
        })
        .collect();
    if channels.is_empty() {
        return None;
    }
    let mut write = IncidentChange::of(incident, now)
        .notify(failed.kind, channels, Duration::ZERO)
        .write();
    for alert in &mut write.alerts {
        alert.fallback_of = Some(failed.alert_id.clone());
    }
    Some(write)
}
