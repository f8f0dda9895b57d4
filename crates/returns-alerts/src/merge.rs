//! Merging what happened while the returns database did not answer with what it says: another
//! replica may have changed the same incident, or observed the same problem.

use returns_model::incident::{
    AlertState, IncidentEventKind, IncidentRecord, IncidentState, IncidentWrite, Signature,
};

use super::change::{SERVICE, event};
use super::memory::Unsaved;

/// What is to be written, in order. `theirs` is the incident as the database has it now,
/// `rival` another open incident with its key.
pub(super) fn merge(
    ours: &Unsaved,
    theirs: Option<&IncidentRecord>,
    rival: Option<&IncidentRecord>,
) -> Vec<IncidentWrite> {
    match (theirs, rival) {
        (None, Some(rival)) if ours.incident.state == IncidentState::Open => same(ours, rival),
        (None, Some(_) | None) => vec![IncidentWrite {
            expected: None,
            ..as_it_is(ours, ours.incident.clone())
        }],
        (Some(theirs), Some(_) | None) => vec![IncidentWrite {
            expected: Some(theirs.version),
            ..as_it_is(ours, both(ours, theirs))
        }],
    }
}

fn as_it_is(ours: &Unsaved, incident: IncidentRecord) -> IncidentWrite {
    IncidentWrite {
        expected: None,
        incident,
        events: ours.events.clone(),
        alerts: ours.alerts.clone(),
        release_at: None,
    }
}

/// One incident that both sides changed.
fn both(ours: &Unsaved, theirs: &IncidentRecord) -> IncidentRecord {
    let mine = &ours.incident;
    let untouched = ours
        .base
        .as_ref()
        .is_some_and(|base| base.version == theirs.version);
    let seen_here = mine.seen
        - ours
            .base
            .as_ref()
            .map_or(0, |base| base.seen.min(mine.seen));
    let mut merged = if untouched || mine.last_seen_at >= theirs.last_seen_at {
        mine.clone()
    } else {
        theirs.clone()
    };
    merged.version = theirs.version.max(mine.version) + 1;
    if untouched {
        return merged;
    }
    // Without a base it was written by us, and the answer was lost.
    if ours.base.is_some() {
        merged.seen = theirs.seen + seen_here;
    }
    merged.last_seen_at = mine.last_seen_at.max(theirs.last_seen_at);
    merged.reopened = mine.reopened.max(theirs.reopened);
    merged.escalations = mine.escalations.max(theirs.escalations);
    merged.alerted_at = mine.alerted_at.max(theirs.alerted_at);
    merged.waiting_since = mine.waiting_since.max(theirs.waiting_since);
    merged.acknowledged = theirs
        .acknowledged
        .clone()
        .or_else(|| mine.acknowledged.clone());
    for channel in mine.notified.iter().chain(&theirs.notified) {
        if !merged.notified.contains(channel) {
            merged.notified.push(channel.clone());
        }
    }
    let ends = [&mine.closed, &theirs.closed];
    let end = ends.into_iter().flatten().max_by_key(|end| end.at);
    // A person who closed it before it was observed again did not know of that.
    merged.closed = end.filter(|end| end.at >= merged.last_seen_at).cloned();
    merged.state = if merged.closed.is_some() {
        merged.quiet_since = None;
        IncidentState::Closed
    } else {
        IncidentState::Open
    };
    merged
}

/// Two replicas observed the same problem, and each opened an incident. The one in the database
/// continues; ours is recorded as closed and names it, so that people who were sent its id find it.
fn same(ours: &Unsaved, rival: &IncidentRecord) -> Vec<IncidentWrite> {
    let mut mine = ours.incident.clone();
    mine.version += 1;
    mine.state = IncidentState::Closed;
    mine.quiet_since = None;
    let note = format!("merged into {}", rival.incident_id);
    mine.closed = Some(Signature {
        at: mine.last_seen_at,
        by: SERVICE.to_owned(),
        note: note.clone(),
    });
    let merged = event(
        &mine,
        IncidentEventKind::Merged,
        mine.last_seen_at,
        SERVICE,
        &note,
    );
    let mut closing = as_it_is(ours, mine);
    closing.events.push(merged);
    for alert in &mut closing.alerts {
        if alert.state == AlertState::Pending {
            alert.state = AlertState::Superseded;
        }
    }

    let mut continued = rival.clone();
    continued.version += 1;
    continued.seen += ours.incident.seen;
    continued.last_seen_at = rival.last_seen_at.max(ours.incident.last_seen_at);
    continued.acknowledged = rival
        .acknowledged
        .clone()
        .or_else(|| ours.incident.acknowledged.clone());
    for channel in &ours.incident.notified {
        if !continued.notified.contains(channel) {
            continued.notified.push(channel.clone());
        }
    }
    let note = format!("merged with {}", ours.incident.incident_id);
    let events = vec![event(
        &continued,
        IncidentEventKind::Merged,
        continued.last_seen_at,
        SERVICE,
        &note,
    )];
    let continued = IncidentWrite {
        expected: Some(rival.version),
        incident: continued,
        events,
        alerts: Vec::new(),
        release_at: None,
    };
    // In this order: if the second fails, only the count of the other is too low.
    vec![closing, continued]
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use echeck_test_fixtures::now;
    use returns_model::incident::{Cause, Problem, Subject};

    use super::*;
    use crate::change::{Observed, observed};
    use crate::change::{acknowledged, closed};
    use crate::rules::AlertRules;

    fn at(seconds: i64) -> DateTime<Utc> {
        now() + TimeDelta::seconds(seconds)
    }

    fn rules() -> AlertRules {
        let hour = std::time::Duration::from_secs(3_600);
        AlertRules {
            channels: Vec::new(),
            update_every: hour,
            reopen_within: hour,
            escalate_after: hour,
            escalate_times: 0,
        }
    }

    fn meet(latest: Option<&IncidentRecord>, seconds: i64) -> IncidentRecord {
        let cause = Cause::FileEmpty { name: "a".into() };
        let problem = Problem::new(Subject::Bucket, cause, at(seconds));
        match observed(latest, &problem, &rules(), at(seconds)) {
            Observed::Notify(write) | Observed::Count(write) => write.incident,
        }
    }

    fn unsaved(base: Option<&IncidentRecord>, incident: IncidentRecord) -> Unsaved {
        Unsaved {
            base: base.cloned(),
            incident,
            events: Vec::new(),
            alerts: Vec::new(),
        }
    }

    /// The one write that there is, for the version that the database has.
    fn merged(ours: &Unsaved, theirs: &IncidentRecord) -> IncidentRecord {
        let mut writes = merge(ours, Some(theirs), None);
        assert_eq!(writes.len(), 1);
        let write = writes.remove(0);
        assert_eq!(write.expected, Some(theirs.version));
        assert!(write.incident.version > theirs.version);
        write.incident
    }

    #[test]
    fn what_both_sides_counted_is_added_up() {
        let base = meet(None, 0);
        let ours = meet(Some(&meet(Some(&base), 1)), 2);
        let theirs = meet(Some(&base), 3);
        let merged = merged(&unsaved(Some(&base), ours), &theirs);
        assert_eq!((merged.seen, merged.last_seen_at), (4, at(3)));
        assert_eq!(merged.state, IncidentState::Open);
    }

    #[test]
    fn a_commit_whose_answer_was_lost_is_not_counted_twice() {
        let written = meet(None, 0);
        let ours = meet(Some(&written), 1);
        assert_eq!(merged(&unsaved(None, ours), &written).seen, 2);
    }

    #[test]
    fn who_closed_it_before_it_was_met_again_did_not_know() {
        let base = meet(None, 0);
        let ended = closed(&base, &rules(), "ann", "", at(5)).unwrap().incident;
        let seen_before = meet(Some(&base), 4);
        let seen_after = meet(Some(&base), 6);
        let state = |ours: &IncidentRecord, theirs: &IncidentRecord| {
            merged(&unsaved(Some(&base), ours.clone()), theirs).state
        };
        assert_eq!(state(&ended, &seen_before), IncidentState::Closed);
        assert_eq!(state(&seen_before, &ended), IncidentState::Closed);
        assert_eq!(state(&ended, &seen_after), IncidentState::Open);
        assert_eq!(state(&seen_after, &ended), IncidentState::Open);
    }

    #[test]
    fn who_looks_after_it_in_the_database_stays() {
        let base = meet(None, 0);
        let ours = acknowledged(&base, "ann", "", at(1)).unwrap().incident;
        let theirs = acknowledged(&base, "bob", "", at(2)).unwrap().incident;
        let merged = merged(&unsaved(Some(&base), ours), &theirs);
        assert_eq!(
            merged.acknowledged.unwrap().by,
            "bob",
            "as the database has it"
        );
    }
}
