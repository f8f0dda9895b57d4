//! PagerDuty's Events API, version 2
//! (<https://developer.pagerduty.com/docs/events-api-v2-overview>): an incident triggers an
//! alert there under its own key, so that it is one alert however often it is told.

use returns_model::ids;
use returns_model::incident::{AlertKind, Severity};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::NotDelivered;
use super::hook::Hook;
use crate::message::{AlertMessage, Message};

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

    /// Tells it of the notice. A test is triggered and resolved at once.
    pub(super) async fn deliver(&self, notice: &AlertMessage) -> Result<(), NotDelivered> {
        let routing_key = self.routing_key.expose_secret();
        for event in events(notice) {
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
fn events(notice: &AlertMessage) -> Vec<Value> {
    let (action, key) = match &notice.message {
        Message::Test { .. } => {
            let key = dedup_key(&notice.installation, &notice.id);
            let resolve = json!({ "event_action": "resolve", "dedup_key": key });
            return vec![trigger(notice, &key), resolve];
        }
        Message::Incident { kind, incident } => {
            let action = match kind {
                AlertKind::Opened
                | AlertKind::Updated
                | AlertKind::Reopened
                | AlertKind::Escalated => "trigger",
                AlertKind::Acknowledged => "acknowledge",
                AlertKind::Recovered | AlertKind::Closed => "resolve",
            };
            (action, dedup_key(&notice.installation, &incident.key))
        }
    };
    if action == "trigger" {
        vec![trigger(notice, &key)]
    } else {
        vec![json!({ "event_action": action, "dedup_key": key })]
    }
}

fn trigger(notice: &AlertMessage, key: &str) -> Value {
    let mut summary: String = notice.first_line().chars().take(SUMMARY).collect();
    if summary.is_empty() {
        summary.push('?');
    }
    let (severity, details) = match &notice.message {
        Message::Incident { incident, .. } => (
            severity(incident.severity),
            json!({
                "component": incident.subject,
                "class": incident.cause,
                "timestamp": incident.opened_at.to_rfc3339(),
            }),
        ),
        Message::Test { .. } => ("info", json!({ "timestamp": notice.at.to_rfc3339() })),
    };
    let mut payload = json!({
        "summary": summary,
        "source": notice.installation,
        "severity": severity,
        "custom_details": { "text": notice.text() },
    });
    if let (Some(payload), Value::Object(details)) = (payload.as_object_mut(), details) {
        payload.extend(details);
    }
    let links: Vec<Value> = notice
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

/// One key an incident, short enough, and apart from those of another installation.
fn dedup_key(installation: &str, key: &str) -> String {
    let whole = format!("{installation}/{key}");
    if whole.len() <= KEY {
        whole
    } else {
        ids::dedup_key(&whole)
    }
}
