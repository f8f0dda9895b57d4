//! The generic webhook: everything that is known, as JSON. `docs/alerts.md` has an example. Under
//! the same schema fields may be added; none is removed or changes its meaning.

use chrono::{DateTime, SecondsFormat, Utc};
use returns_model::incident::{IncidentRecord, Signature};
use serde_json::{Value, json};

use crate::message::{AlertMessage, AlertTopic};

/// The schema of the body.
const SCHEMA: &str = "echeck.alert.v1";

/// What is posted.
pub(super) fn body(alert: &AlertMessage) -> Value {
    let (event, incident) = match &alert.topic {
        AlertTopic::Incident { kind, incident } => (
            format!("incident.{}", kind.as_str()),
            self::incident(incident),
        ),
        AlertTopic::Test { .. } => ("test".to_owned(), Value::Null),
    };
    json!({
        "schema": SCHEMA,
        "alert_id": alert.id,
        "event": event,
        "at": time(alert.at),
        "installation": alert.installation,
        "first_line": alert.first_line(),
        "text": alert.text(),
        "incident": incident,
        "runbook_url": alert.runbook_url,
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn signature(signature: &Option<Signature>) -> Value {
    signature.as_ref().map_or(
        Value::Null,
        |one| json!({ "at": time(one.at), "by": one.by, "note": one.note }),
    )
}

fn incident(incident: &IncidentRecord) -> Value {
    let content = &incident.content;
    let checks: Vec<Value> = content
        .checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "of": check.of,
                "outcome": check.outcome.as_str(),
                "evidence": check.evidence,
                "took_ms": check.took_ms,
            })
        })
        .collect();
    json!({
        "incident_id": incident.incident_id,
        "key": incident.key,
        "cause": incident.cause,
        "subject": incident.subject,
        "severity": incident.severity.as_str(),
        "state": incident.state.as_str(),
        "headline": content.headline,
        "observed_as": content.observed,
        "meaning": content.meaning,
        "to_do": content.to_do,
        "checks": checks,
        "source": incident.source,
        "sources": incident.content.sources,
        "import_id": incident.import_id,
        "run_id": incident.run_id,
        "seen": incident.seen,
        "reopened": incident.reopened,
        "opened_at": time(incident.opened_at),
        "last_seen_at": time(incident.last_seen_at),
        "next_try_at": incident.next_try_at.map(time),
        "money_at_stake": content.stake,
        "data_expires": content.expires,
        "last_good_run": content.last_good,
        "command": content.command,
        "acknowledged": signature(&incident.acknowledged),
        "closed": signature(&incident.closed),
    })
}
