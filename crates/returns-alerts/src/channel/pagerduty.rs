//! PagerDuty's Events API, version 2
//! (<https://developer.pagerduty.com/docs/events-api-v2-overview>): an incident triggers an
//! alert there under its own key, so that it is one alert however often it is sent.

use returns_model::ids;
use returns_model::incident::{AlertKind, Severity};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::NotDelivered;
use super::hook::Hook;
use crate::message::{AlertMessage, AlertTopic};

/// Where events go.
pub(super) const ADDRESS: &str = "https://events.pagerduty.com/v2/enqueue";

/// The longest summary and the longest key that it takes.
const SUMMARY: usize = 1_024;
const KEY: usize = 255;

/// PagerDuty.
pub struct PagerDuty {
    pub(super) hook: Hook,
    routing_key: SecretString,
}

impl PagerDuty {
    pub(super) fn new(hook: Hook, routing_key: SecretString) -> Self {
        Self { hook, routing_key }
    }

    /// Sends the alert. A test is triggered and resolved at once.
    pub(super) async fn deliver(&self, alert: &AlertMessage) -> Result<(), NotDelivered> {
        let routing_key = self.routing_key.expose_secret();
        for event in events(alert) {
            let mut body = json!({ "routing_key": routing_key });
            if let (Some(body), Value::Object(event)) = (body.as_object_mut(), event) {
                body.extend(event);
            }
            self.hook.post(&body).await?;
        }
        Ok(())
    }
}

/// What is sent, without the routing key.
fn events(alert: &AlertMessage) -> Vec<Value> {
    let (action, key) = match &alert.topic {
        AlertTopic::Test { .. } => {
            let key = dedup_key(&alert.installation, &alert.id);
            let resolve = json!({ "event_action": "resolve", "dedup_key": key });
            return vec![trigger(alert, &key), resolve];
        }
        AlertTopic::Incident { kind, incident } => {
            let action = match kind {
                AlertKind::Opened
                | AlertKind::Updated
                | AlertKind::Reopened
                | AlertKind::Escalated => "trigger",
                AlertKind::Acknowledged => "acknowledge",
                AlertKind::Recovered | AlertKind::Closed => "resolve",
            };
            (action, dedup_key(&alert.installation, &incident.key))
        }
    };
    if action == "trigger" {
        vec![trigger(alert, &key)]
    } else {
        vec![json!({ "event_action": action, "dedup_key": key })]
    }
}

fn trigger(alert: &AlertMessage, key: &str) -> Value {
    let mut summary: String = alert.first_line().chars().take(SUMMARY).collect();
    if summary.is_empty() {
        summary.push('?');
    }
    let (severity, details) = match &alert.topic {
        AlertTopic::Incident { incident, .. } => (
            severity(incident.severity),
            json!({
                "component": incident.subject,
                "class": incident.cause,
                "timestamp": incident.opened_at.to_rfc3339(),
            }),
        ),
        AlertTopic::Test { .. } => ("info", json!({ "timestamp": alert.at.to_rfc3339() })),
    };
    let mut payload = json!({
        "summary": summary,
        "source": alert.installation,
        "severity": severity,
        "custom_details": { "text": alert.text() },
    });
    if let (Some(payload), Value::Object(details)) = (payload.as_object_mut(), details) {
        payload.extend(details);
    }
    let links: Vec<Value> = alert
        .runbook_url
        .iter()
        .map(|url| json!({ "href": url, "text": "Runbook" }))
        .collect();
    json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": "echeck-returns",
        "payload": payload,
        "links": links,
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// One key per incident, short enough, and different from those of another installation.
fn dedup_key(installation: &str, key: &str) -> String {
    let whole = format!("{installation}/{key}");
    if whole.len() <= KEY {
        whole
    } else {
        ids::dedup_key(&whole)
    }
}
