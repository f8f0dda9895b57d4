//! How an incident changes: pure functions from what it was and what happened to what is
//! written. Whether the write wins is up to the store.

use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, Utc};

use super::content::Content;
use super::rules::{Rules, after};
use super::{Area, Trouble};
use crate::ids;
use crate::store::{
    AlertKind, AlertRecord, AlertState, EventKind, IncidentEvent, IncidentRecord, IncidentState,
    IncidentWrite, Signature,
};

/// How long an alert waits for what is being looked at. After that any replica may deliver
/// it as it is: the one that looks may have died.
const HOLD: Duration = Duration::from_secs(8);

/// Who acts where no person does.
pub(super) const SERVICE: &str = "service";

/// A time as both databases keep it.
pub(super) fn moment(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// The key of trouble: as long as it stays the same, it is the same incident.
pub(super) fn key(trouble: &Trouble) -> String {
    format!("{}/{}", trouble.cause.kind(), trouble.subject)
}

/// What trouble comes to.
pub(super) enum Met {
    /// People are to be told, once it was looked at.
    Tell(IncidentWrite),
    /// It is only counted.
    Count(IncidentWrite),
}

/// Puts a change together: the next version, its event and its alerts.
struct Change {
    incident: IncidentRecord,
    expected: Option<u64>,
    at: DateTime<Utc>,
    events: Vec<IncidentEvent>,
    alerts: Vec<AlertRecord>,
}

impl Change {
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

    fn event(mut self, what: EventKind, actor: &str, note: &str) -> Self {
        let event = event(&self.incident, what, self.at, actor, note);
        self.events.push(event);
        self
    }

    /// Tells each of `channels`, in `hold` from now at the earliest.
    fn tell(mut self, kind: AlertKind, channels: Vec<String>, hold: Duration) -> Self {
        for channel in channels {
            let alert = alert(&self.incident, kind, &channel, self.at, hold);
            self.alerts.push(alert);
            if !self.incident.told.contains(&channel) {
                self.incident.told.push(channel);
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
    what: EventKind,
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

/// How long alerts wait for a look. That a channel does not deliver needs none.
fn hold(area: Area) -> Duration {
    match area {
        Area::Alerting => Duration::ZERO,
        Area::Reach
        | Area::Presence
        | Area::Content
        | Area::Disk
        | Area::Bucket
        | Area::Store
        | Area::Target
        | Area::Import
        | Area::Clock => HOLD,
    }
}

/// Trouble was met. `latest` is the open incident with its key, or the last one.
pub(super) fn met(
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
    let key = key(trouble);
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

/// The channels that are told what goes on with an incident: those that were told of it, and
/// those that would be.
fn everybody(incident: &IncidentRecord, rules: &Rules) -> Vec<String> {
    let mut channels = rules.regular(incident);
    for told in &incident.told {
        if !channels.contains(told) {
            channels.push(told.clone());
        }
    }
    channels
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
pub(super) fn diagnosed(
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

/// It is right again. An incident that has come back before is believed only after it was
/// quiet for a while, so that one which comes and goes is no flood of alerts.
pub(super) fn cleared(
    incident: &IncidentRecord,
    rules: &Rules,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let (at, now) = (moment(at), moment(now));
    // What was met after the moment of which it is said that all was right still stands.
    if !is_open(incident) || at < incident.last_seen_at {
        return None;
    }
    if incident.reopened == 0 {
        return Some(recovered(incident, rules, at, now));
    }
    if incident.quiet_since.is_some() {
        return None;
    }
    let mut change = Change::of(incident, now);
    change.incident.quiet_since = Some(at);
    Some(change.event(EventKind::Quiet, SERVICE, "").write())
}

/// What is due by the clock: the end of a quiet time, or an escalation.
pub(super) fn due(
    incident: &IncidentRecord,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let now = moment(now);
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
    let mut change = Change::of(incident, now);
    change.incident.escalations += 1;
    change.incident.waiting_since = now;
    let note = format!("to {}", channels.join(", "));
    Some(
        change
            .event(EventKind::Escalated, SERVICE, &note)
            .tell(AlertKind::Escalated, channels, Duration::ZERO)
            .write(),
    )
}

fn recovered(
    incident: &IncidentRecord,
    rules: &Rules,
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
        (EventKind::Recovered, AlertKind::Recovered),
        rules,
        now,
    )
}

fn end(
    incident: &IncidentRecord,
    signature: Signature,
    (what, kind): (EventKind, AlertKind),
    rules: &Rules,
    now: DateTime<Utc>,
) -> IncidentWrite {
    let mut change = Change::of(incident, now);
    change.incident.state = IncidentState::Closed;
    change.incident.quiet_since = None;
    change.incident.next_try_at = None;
    let channels = everybody(incident, rules);
    let (by, note) = (signature.by.clone(), signature.note.clone());
    change.incident.closed = Some(signature);
    change
        .event(what, &by, &note)
        .tell(kind, channels, Duration::ZERO)
        .write()
}

/// A person closes it.
pub(super) fn closed(
    incident: &IncidentRecord,
    rules: &Rules,
    by: &str,
    note: &str,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let now = moment(now);
    let signature = Signature {
        at: now,
        by: by.to_owned(),
        note: note.to_owned(),
    };
    let kinds = (EventKind::Closed, AlertKind::Closed);
    is_open(incident).then(|| end(incident, signature, kinds, rules, now))
}

/// A person looks after it. `None` when somebody does already, or it is over.
pub(super) fn acknowledged(
    incident: &IncidentRecord,
    by: &str,
    note: &str,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    if !is_open(incident) || incident.acknowledged.is_some() {
        return None;
    }
    let now = moment(now);
    let mut change = Change::of(incident, now);
    change.incident.acknowledged = Some(Signature {
        at: now,
        by: by.to_owned(),
        note: note.to_owned(),
    });
    Some(
        change
            .event(EventKind::Acknowledged, by, note)
            .tell(
                AlertKind::Acknowledged,
                incident.told.clone(),
                Duration::ZERO,
            )
            .write(),
    )
}

/// An alert was not taken by its channel: the fallback channels get it, unless they have been
/// told since. `alerts` are all of the incident.
pub(super) fn fallen_back(
    incident: &IncidentRecord,
    failed: &AlertRecord,
    alerts: &[AlertRecord],
    rules: &Rules,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let now = moment(now);
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
    let mut write = Change::of(incident, now)
        .tell(failed.kind, channels, Duration::ZERO)
        .write();
    for alert in &mut write.alerts {
        alert.fallback_of = Some(failed.alert_id.clone());
    }
    Some(write)
}
