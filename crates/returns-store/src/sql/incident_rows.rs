//! The rows of incidents: their columns, what is written into them, and how they are read.

use returns_model::incident::{AlertRecord, IncidentEvent, IncidentRecord, Signature};

use crate::StoreError;
use crate::columns::{bound, json, unreadable};
use crate::db::{Record, Value};

/// The columns of an incident that stay as they were when it was opened, in the order of
/// [`fixed_values`].
pub(super) const FIXED_COLUMNS: &str = "incident_id, incident_key, cause, subject, area, \
     severity, source, import_id, run_id, opened_at";

/// The columns of an incident that change, in the order of [`changing_values`].
pub(super) const CHANGING_COLUMNS: &str = "state, content, seen, reopened, last_seen_at, \
     next_try_at, quiet_since, acknowledged_at, acknowledged_by, acknowledged_note, closed_at, \
     closed_by, closed_note, alerted_at, waiting_since, escalations, notified, version";

/// The values of [`FIXED_COLUMNS`].
pub(super) fn fixed_values(incident: &IncidentRecord) -> Vec<Value> {
    vec![
        (&incident.incident_id).into(),
        (&incident.key).into(),
        (&incident.cause).into(),
        (&incident.subject).into(),
        incident.area.as_str().into(),
        incident.severity.as_str().into(),
        (&incident.source).into(),
        (&incident.import_id).into(),
        (&incident.run_id).into(),
        incident.opened_at.into(),
    ]
}

/// The values of [`CHANGING_COLUMNS`].
pub(super) fn changing_values(incident: &IncidentRecord) -> Result<Vec<Value>, StoreError> {
    let signed = |signature: &Option<Signature>| -> [Value; 3] {
        let signature = signature.as_ref();
        [
            signature.map(|one| one.at).into(),
            signature.map(|one| one.by.as_str()).into(),
            signature.map(|one| one.note.as_str()).into(),
        ]
    };
    let mut values = vec![
        incident.state.as_str().into(),
        json(&incident.content, "incidents.content")?.into(),
        bound(incident.seen)?.into(),
        bound(incident.reopened)?.into(),
        incident.last_seen_at.into(),
        incident.next_try_at.into(),
        incident.quiet_since.into(),
    ];
    values.extend(signed(&incident.acknowledged));
    values.extend(signed(&incident.closed));
    values.extend([
        incident.alerted_at.into(),
        incident.waiting_since.into(),
        bound(incident.escalations)?.into(),
        json(&incident.notified, "incidents.notified")?.into(),
        bound(incident.version)?.into(),
    ]);
    Ok(values)
}

pub(super) const EVENT_COLUMNS: &str = "event_id, incident_id, number, at, what, actor, note";

pub(super) const ALERT_COLUMNS: &str = "alert_id, incident_id, channel, kind, fallback_of, state, \
     attempts, created_at, next_attempt_at, claimed_until, sent_at, last_error";

fn signature(row: &Record, prefix: &str) -> Result<Option<Signature>, StoreError> {
    let Some(at) = row.optional_time(&format!("{prefix}_at"))? else {
        return Ok(None);
    };
    Ok(Some(Signature {
        at,
        by: row.text(&format!("{prefix}_by"))?,
        note: row.text(&format!("{prefix}_note"))?,
    }))
}

pub(super) fn incident_record(row: &Record) -> Result<IncidentRecord, StoreError> {
    Ok(IncidentRecord {
        incident_id: row.text("incident_id")?,
        key: row.text("incident_key")?,
        cause: row.text("cause")?,
        subject: row.text("subject")?,
        area: row.word("area")?,
        severity: row.word("severity")?,
        state: row.word("state")?,
        content: row.json("content", "incidents.content")?,
        source: row.optional_text("source")?,
        import_id: row.optional_text("import_id")?,
        run_id: row.optional_text("run_id")?,
        seen: row.count("seen")?,
        reopened: row.count("reopened")?,
        opened_at: row.time("opened_at")?,
        last_seen_at: row.time("last_seen_at")?,
        next_try_at: row.optional_time("next_try_at")?,
        quiet_since: row.optional_time("quiet_since")?,
        acknowledged: signature(row, "acknowledged")?,
        closed: signature(row, "closed")?,
        alerted_at: row.time("alerted_at")?,
        waiting_since: row.time("waiting_since")?,
        escalations: row.count("escalations")?,
        notified: row.json("notified", "incidents.notified")?,
        version: row.count("version")?,
    })
}

pub(super) fn incident_event(row: &Record) -> Result<IncidentEvent, StoreError> {
    Ok(IncidentEvent {
        event_id: row.text("event_id")?,
        incident_id: row.text("incident_id")?,
        number: row.count("number")?,
        at: row.time("at")?,
        what: row.word("what")?,
        actor: row.text("actor")?,
        note: row.text("note")?,
    })
}

pub(super) fn alert_record(row: &Record) -> Result<AlertRecord, StoreError> {
    Ok(AlertRecord {
        alert_id: row.text("alert_id")?,
        incident_id: row.text("incident_id")?,
        channel: row.text("channel")?,
        kind: row.word("kind")?,
        fallback_of: row.optional_text("fallback_of")?,
        state: row.word("state")?,
        attempts: u32::try_from(row.count("attempts")?)
            .map_err(|error| unreadable("alerts.attempts", error))?,
        created_at: row.time("created_at")?,
        next_attempt_at: row.time("next_attempt_at")?,
        claimed_until: row.optional_time("claimed_until")?,
        sent_at: row.optional_time("sent_at")?,
        last_error: row.optional_text("last_error")?,
    })
}
