//! A problem is observed: an incident is opened, counted, or reopened.

use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::incident::{
    AlertKind, Content, IncidentEventKind, IncidentRecord, IncidentState, IncidentWrite, Problem,
};

use super::{IncidentChange, SERVICE, followers, hold, is_open, to_micros};
use crate::rules::{AlertRules, after};

/// What an observation comes to.
pub(crate) enum Observed {
    /// People are notified, once it was diagnosed.
    Notify(IncidentWrite),
    /// It is only counted.
    Count(IncidentWrite),
}

/// A problem was observed. `latest` is the open incident with its key, or the last one.
pub(crate) fn observed(
    latest: Option<&IncidentRecord>,
    problem: &Problem,
    rules: &AlertRules,
    now: DateTime<Utc>,
) -> Observed {
    let now = to_micros(now);
    match latest {
        Some(incident) if is_open(incident) => observed_again(incident, problem, rules, now),
        Some(incident) if back_soon(incident, rules, now) => {
            Observed::Notify(reopened(incident, problem, rules, now))
        }
        Some(_) | None => Observed::Notify(opened(problem, rules, now)),
    }
}

fn back_soon(incident: &IncidentRecord, rules: &AlertRules, now: DateTime<Utc>) -> bool {
    incident
        .closed
        .as_ref()
        .is_some_and(|closed| now <= after(closed.at, rules.reopen_within))
}

fn opened(problem: &Problem, rules: &AlertRules, now: DateTime<Utc>) -> IncidentWrite {
    let key = problem.key();
    let opened_at = to_micros(problem.at).min(now);
    let area = problem.cause.area();
    let incident = IncidentRecord {
        incident_id: ids::incident_id(&key, &opened_at),
        key,
        cause: problem.cause.kind().to_owned(),
        subject: problem.subject.to_string(),
        area,
        severity: area.severity(),
        state: IncidentState::Open,
        content: Content::of(problem),
        source: problem.source.clone(),
        import_id: problem.import_id.clone(),
        run_id: problem.run_id.clone(),
        seen: 1,
        reopened: 0,
        opened_at,
        last_seen_at: opened_at,
        next_try_at: problem.next_try_at.map(to_micros),
        quiet_since: None,
        acknowledged: None,
        closed: None,
        alerted_at: now,
        waiting_since: now,
        escalations: 0,
        notified: Vec::new(),
        version: 1,
    };
    let channels = rules.regular(&incident);
    let hold = hold(incident.area);
    let headline = incident.content.headline.clone();
    IncidentChange {
        incident,
        expected: None,
        at: now,
        events: Vec::new(),
        alerts: Vec::new(),
    }
    .event(IncidentEventKind::Opened, SERVICE, &headline)
    .notify(AlertKind::Opened, channels, hold)
    .write()
}

/// What every observation of an open incident changes.
fn count(change: &mut IncidentChange, problem: &Problem) {
    let incident = &mut change.incident;
    incident.seen += 1;
    incident.last_seen_at = incident.last_seen_at.max(to_micros(problem.at));
    incident.next_try_at = problem.next_try_at.map(to_micros);
    incident.quiet_since = None;
    incident.content = incident.content.observed_again(problem);
}

fn observed_again(
    incident: &IncidentRecord,
    problem: &Problem,
    rules: &AlertRules,
    now: DateTime<Utc>,
) -> Observed {
    let mut change = IncidentChange::of(incident, now);
    count(&mut change, problem);
    if now < after(incident.alerted_at, rules.update_every) {
        return Observed::Count(change.write());
    }
    change.incident.alerted_at = now;
    let note = format!("seen {} times", change.incident.seen);
    let channels = followers(incident, rules);
    Observed::Notify(
        change
            .event(IncidentEventKind::Updated, SERVICE, &note)
            .notify(AlertKind::Updated, channels, hold(incident.area))
            .write(),
    )
}

fn reopened(
    incident: &IncidentRecord,
    problem: &Problem,
    rules: &AlertRules,
    now: DateTime<Utc>,
) -> IncidentWrite {
    let mut change = IncidentChange::of(incident, now);
    count(&mut change, problem);
    let next = &mut change.incident;
    next.state = IncidentState::Open;
    next.reopened += 1;
    // A person who closed it was wrong about it: somebody must acknowledge it again.
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
    let channels = followers(incident, rules);
    change
        .event(IncidentEventKind::Reopened, SERVICE, &note)
        .notify(AlertKind::Reopened, channels, hold(incident.area))
        .write()
}

/// The diagnosis is known: it goes into the incident, and the alerts may leave.
pub(crate) fn diagnosed(
    incident: &IncidentRecord,
    content: Content,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    if !is_open(incident) {
        return None;
    }
    let now = to_micros(now);
    let mut change = IncidentChange::of(incident, now);
    let note = content.headline.clone();
    change.incident.content = content;
    let mut write = change
        .event(IncidentEventKind::Diagnosed, SERVICE, &note)
        .write();
    write.release_at = Some(now);
    Some(write)
}
