//! People acknowledge an incident, or close it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertKind, IncidentEventKind, IncidentRecord, IncidentWrite, Signature,
};

use super::end::end;
use super::{IncidentChange, is_open, to_micros};
use crate::rules::AlertRules;

/// A person closes it.
pub(crate) fn closed(
    incident: &IncidentRecord,
    rules: &AlertRules,
    by: &str,
    note: &str,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    let now = to_micros(now);
    let signature = Signature {
        at: now,
        by: by.to_owned(),
        note: note.to_owned(),
    };
    let kinds = (IncidentEventKind::Closed, AlertKind::Closed);
    is_open(incident).then(|| end(incident, signature, kinds, rules, now))
}

/// A person acknowledges it. `None` when somebody has already, or it is closed.
pub(crate) fn acknowledged(
    incident: &IncidentRecord,
    by: &str,
    note: &str,
    now: DateTime<Utc>,
) -> Option<IncidentWrite> {
    if !is_open(incident) || incident.acknowledged.is_some() {
        return None;
    }
    let now = to_micros(now);
    let mut change = IncidentChange::of(incident, now);
    change.incident.acknowledged = Some(Signature {
        at: now,
        by: by.to_owned(),
        note: note.to_owned(),
    });
    Some(
        change
            .event(IncidentEventKind::Acknowledged, by, note)
            .notify(
                AlertKind::Acknowledged,
                incident.notified.clone(),
                Duration::ZERO,
            )
            .write(),
    )
}
