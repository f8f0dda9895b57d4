//! Trouble is met: an incident is opened, counted, or comes back.

use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::incident::{
    AlertKind, Content, EventKind, IncidentRecord, IncidentState, IncidentWrite, Trouble,
};

use super::{Change, SERVICE, everybody, hold, is_open, moment};
use crate::rules::{Rules, after};

/// What trouble comes to.
pub(crate) enum Met {
    /// People are to be told, once it was looked at.
    Tell(IncidentWrite),
    /// It is only counted.
    Count(IncidentWrite),
}

/// Trouble was met. `latest` is the open incident with its key, or the last one.
pub(crate) fn met(
    latest: Option<&IncidentRecord>,
    trouble: &Trouble,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Met {
    let now = moment(now);
    match latest {
        Some(incident) if is_open(incident) => met_again(incident, trouble, rules, now),
        Some(incident) if back_soon(incident, rules, now) => {
            Met::Tell(reopened(incident, trouble, rules, now))
        }
        Some(_) | None => Met::Tell(opened(trouble, rules, now)),
    }
}

fn back_soon(incident: &IncidentRecord, rules: &Rules, now: DateTime<Utc>) -> bool {
    incident
        .closed
        .as_ref()
        .is_some_and(|closed| now <= after(closed.at, rules.reopen_within))
}

fn opened(trouble: &Trouble, rules: &Rules, now: DateTime<Utc>) -> IncidentWrite {
    let key = trouble.key();
    let opened_at = moment(trouble.at).min(now);
    let incident = IncidentRecord {
        incident_id: ids::incident_id(&key, &opened_at),
        key,
        cause: trouble.cause.kind().to_owned(),
        subject: trouble.subject.to_string(),
        area: trouble.cause.area(),
        severity: trouble.cause.severity(),
        state: IncidentState::Open,
        content: Content::of(trouble),
        source: trouble.source.clone(),
        import_id: trouble.import_id.clone(),
        run_id: trouble.run_id.clone(),
        seen: 1,
        reopened: 0,
        opened_at,
        last_seen_at: opened_at,
        next_try_at: trouble.next_try_at.map(moment),
        quiet_since: None,
        acknowledged: None,
        closed: None,
        alerted_at: now,
        waiting_since: now,
        escalations: 0,
        told: Vec::new(),
        version: 1,
    };
    let channels = rules.regular(&incident);
    let hold = hold(incident.area);
    let headline = incident.content.headline.clone();
    Change {
        incident,
        expected: None,
        at: now,
        events: Vec::new(),
        alerts: Vec::new(),
    }
    .event(EventKind::Opened, SERVICE, &headline)
    .tell(AlertKind::Opened, channels, hold)
    .write()
}

/// What every meeting of an open incident changes.
fn count(change: &mut Change, trouble: &Trouble) {
    let incident = &mut change.incident;
    incident.seen += 1;
    incident.last_seen_at = incident.last_seen_at.max(moment(trouble.at));
    incident.next_try_at = trouble.next_try_at.map(moment);
    incident.quiet_since = None;
    incident.content = incident.content.met_again(trouble);
}

fn met_again(
    incident: &IncidentRecord,
    trouble: &Trouble,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Met {
    let mut change = Change::of(incident, now);
    count(&mut change, trouble);
    if now < after(incident.alerted_at, rules.update_every) {
        return Met::Count(change.write());
    }
    change.incident.alerted_at = now;
    let note = format!("seen {} times", change.incident.seen);
    let channels = everybody(incident, rules);
    Met::Tell(
        change
            .event(EventKind::Updated, SERVICE, &note)
            .tell(AlertKind::Updated, channels, hold(incident.area))
            .write(),
    )
}

fn reopened(
    incident: &IncidentRecord,
    trouble: &Trouble,
    rules: &Rules,
    now: DateTime<Utc>,
) -> IncidentWrite {
    let mut change = Change::of(incident, now);
    count(&mut change, trouble);
    let next = &mut change.incident;
    next.state = IncidentState::Open;
    next.reopened += 1;
    // Whoever closed it was wrong about it, and is told like everybody else.
    if next
        .closed
        .take()
        .is_some_and(|closed| closed.by != SERVICE)
    {
        next.acknowledged = None;
    }
    next.alerted_at = now;
    next.waiting_since = now;
    next.escalations = 0;
    let note = next.content.headline.clone();
    let channels = everybody(incident, rules);
    change
        .event(EventKind::Reopened, SERVICE, &note)
        .tell(AlertKind::Reopened, channels, hold(incident.area))
        .write()
}

/// What was looked at is known: it goes into the incident, and the alerts may leave.
pub(crate) fn diagnosed(
    incident: &IncidentRecord,
    content: Content,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    if !is_open(incident) {
        return None;
    }
    let now = moment(now);
    let mut change = Change::of(incident, now);
    let note = content.headline.clone();
    change.incident.content = content;
    let mut write = change.event(EventKind::Diagnosed, SERVICE, &note).write();
    write.release_at = Some(now);
    Some(write)
}
