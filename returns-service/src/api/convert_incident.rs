//! Incidents as protobuf has them.

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_alerts::TestResult;
use returns_model::incident::{
    AlertRecord, AlertState, CheckLine, IncidentEvent, IncidentRecord, Signature,
};

use super::convert::milliseconds;
use super::enums::ToProto as _;

pub(super) fn incident(
    incident: &IncidentRecord,
    closes_at: Option<DateTime<Utc>>,
    alerts: &[AlertRecord],
) -> proto::Incident {
    let content = &incident.content;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (acknowledged_at, acknowledged_by, acknowledged_note) = signed(&incident.acknowledged);
    let (closed_at, closed_by, closed_note) = signed(&incident.closed);
    proto::Incident {
        incident_id: incident.incident_id.clone(),
        cause: incident.cause.clone(),
        subject: incident.subject.clone(),
        severity: incident.severity.to_proto().into(),
        state: incident.state.to_proto().into(),
        headline: content.headline.clone(),
        observed_as: text(&content.observed),
        meaning: content.meaning.clone(),
        to_do: content.to_do.clone(),
        checks: content.checks.iter().map(check).collect(),
        source: text(&incident.source),
        import_id: text(&incident.import_id),
        run_id: text(&incident.run_id),
        observed_count: incident.seen,
        reopened_count: incident.reopened,
        opened_at: Some(timestamp(incident.opened_at)),
        last_observed_at: Some(timestamp(incident.last_seen_at)),
        next_attempt_at: incident.next_try_at.map(timestamp),
        quiet_since: incident.quiet_since.map(timestamp),
        money_at_stake: text(&content.stake),
        data_expires: text(&content.expires),
        last_good_run: text(&content.last_good),
        command: text(&content.command),
        acknowledged_at,
        acknowledged_by,
        acknowledged_note,
        closed_at,
        closed_by,
        closed_note,
        escalations: incident.escalations,
        alerts: alerts.iter().map(alert).collect(),
        closes_at: closes_at.map(timestamp),
    }
}

fn signed(signature: &Option<Signature>) -> (Option<prost_types::Timestamp>, String, String) {
    let Some(Signature { at, by, note }) = signature else {
        return Default::default();
    };
    (Some(timestamp(*at)), by.clone(), note.clone())
}

fn check(check: &CheckLine) -> proto::Check {
    proto::Check {
        name: check.name.clone(),
        component: check.of.clone(),
        state: check.outcome.to_proto().into(),
        evidence: check.evidence.clone(),
        took_ms: check.took_ms,
        ..proto::Check::default()
    }
}

pub(super) fn event(event: &IncidentEvent) -> proto::IncidentEvent {
    proto::IncidentEvent {
        at: Some(timestamp(event.at)),
        kind: event.what.as_str().to_owned(),
        actor: event.actor.clone(),
        note: event.note.clone(),
    }
}

fn alert(alert: &AlertRecord) -> proto::Alert {
    let pending = alert.state == AlertState::Pending;
    proto::Alert {
        alert_id: alert.alert_id.clone(),
        channel: alert.channel.clone(),
        kind: alert.kind.as_str().to_owned(),
        state: alert.state.to_proto().into(),
        attempts: alert.attempts,
        created_at: Some(timestamp(alert.created_at)),
        next_attempt_at: pending.then(|| timestamp(alert.next_attempt_at)),
        sent_at: alert.sent_at.map(timestamp),
        last_error: alert.last_error.clone().unwrap_or_default(),
        fallback_of: alert.fallback_of.clone().unwrap_or_default(),
    }
}

pub(super) fn test(result: &TestResult) -> proto::ChannelTest {
    proto::ChannelTest {
        channel: result.channel.clone(),
        kind: result.kind.to_owned(),
        target: result.target.clone(),
        delivered: result.error.is_none(),
        error: result.error.clone().unwrap_or_default(),
        took_ms: milliseconds(result.took),
    }
}
