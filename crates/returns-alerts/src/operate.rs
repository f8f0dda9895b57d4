//! What people do with incidents: list, acknowledge and close them, and test the channels.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use returns_model::ids;
use returns_model::incident::{
    AlertKind, AlertRecord, IncidentEvent, IncidentRecord, IncidentState,
};
use tokio::time::Instant;

use super::change::to_micros;
use super::manager::IncidentManager;
use super::message::{AlertMessage, time};
use super::rules::after;
use crate::change::{acknowledged, closed};

/// An incident with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct IncidentDetails {
    pub incident: IncidentRecord,
    /// In order of time.
    pub events: Vec<IncidentEvent>,
    /// In order of time.
    pub alerts: Vec<AlertRecord>,
    /// What an alert would say now.
    pub text: String,
}

/// Why an incident was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    #[error("there is no incident {0:?}")]
    NotFound(String),
    #[error("the incident was already closed by {by}")]
    Over { by: String },
    #[error("the incident was already acknowledged by {by}")]
    Taken { by: String },
}

/// How a channel took a test.
#[derive(Debug, Clone)]
pub struct TestResult {
    pub channel: String,
    pub kind: &'static str,
    /// Host and port.
    pub target: String,
    /// Why it did not; `None` when it did.
    pub error: Option<String>,
    pub took: Duration,
}

impl IncidentManager {
    /// Whether incidents are in memory only, because the returns database does not answer.
    pub fn is_away(&self) -> bool {
        self.log().is_away()
    }

    /// A page of incidents with their alerts, newest first.
    pub async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> (Vec<IncidentRecord>, Vec<AlertRecord>) {
        let incidents = self.log().incidents(state, before, limit).await;
        let ids: Vec<String> = incidents
            .iter()
            .map(|incident| incident.incident_id.clone())
            .collect();
        let alerts = self.log().alerts_of(&ids).await;
        (incidents, alerts)
    }

    /// When an incident that is quiet closes by itself, unless it is observed again.
    pub fn closes_at(&self, incident: &IncidentRecord) -> Option<DateTime<Utc>> {
        let quiet_since = incident.quiet_since?;
        Some(after(quiet_since, self.dispatcher.rules.reopen_within))
    }

    /// One incident with everything.
    pub async fn details(&self, incident_id: &str) -> Option<IncidentDetails> {
        let incident = self.log().incident(incident_id).await?;
        let kind = match (incident.state, &incident.closed) {
            (IncidentState::Closed, Some(closed)) if closed.by != super::change::SERVICE => {
                AlertKind::Closed
            }
            (IncidentState::Closed, _) => AlertKind::Recovered,
            (IncidentState::Open, _) => AlertKind::Opened,
        };
        let header = &self.dispatcher.header;
        let mut text = AlertMessage::about("", kind, &incident, header, self.now()).text();
        if let (Some(since), Some(at)) = (incident.quiet_since, self.closes_at(&incident)) {
            text.push_str(&format!(
                "\nIt has been recovering since {}, and closes at {} unless it is observed again.\n",
                time(since, header.time_zone),
                time(at, header.time_zone)
            ));
        }
        Some(IncidentDetails {
            events: self.log().events(incident_id).await,
            alerts: self.log().alerts_of(&[incident_id.to_owned()]).await,
            incident,
            text,
        })
    }

    /// Acknowledges an incident: it is not escalated any more. The same person may do it again.
    ///
    /// # Errors
    /// When there is no such incident, it is closed, or somebody else has acknowledged it.
    pub async fn acknowledge(
        &self,
        incident_id: &str,
        actor: &str,
        note: &str,
    ) -> Result<(), OperateError> {
        let decide = |incident: &IncidentRecord| acknowledged(incident, actor, note, self.now());
        let (incident, changed) = self.changed(incident_id, decide).await?;
        if changed {
            return Ok(());
        }
        match (incident.acknowledged, incident.closed) {
            (_, Some(closed)) => Err(OperateError::Over { by: closed.by }),
            (Some(other), None) if other.by != actor => Err(OperateError::Taken { by: other.by }),
            (Some(_) | None, None) => Ok(()),
        }
    }

    /// Closes an incident. Observed again, it is reopened. The same person may do it again.
    ///
    /// # Errors
    /// When there is no such incident, or somebody else has closed it.
    pub async fn close(
        &self,
        incident_id: &str,
        actor: &str,
        note: &str,
    ) -> Result<(), OperateError> {
        let rules = &self.dispatcher.rules;
        let decide = |incident: &IncidentRecord| closed(incident, rules, actor, note, self.now());
        let (incident, changed) = self.changed(incident_id, decide).await?;
        match incident.closed {
            Some(end) if !changed && end.by != actor => Err(OperateError::Over { by: end.by }),
            Some(_) | None => Ok(()),
        }
    }

    async fn changed(
        &self,
        incident_id: &str,
        decide: impl Fn(&IncidentRecord) -> Option<returns_model::incident::IncidentWrite>,
    ) -> Result<(IncidentRecord, bool), OperateError> {
        self.change(incident_id, decide)
            .await
            .ok_or_else(|| OperateError::NotFound(incident_id.to_owned()))
    }

    /// Sends a test to every channel at once, and reports how each took it.
    pub async fn test_channels(&self, actor: &str) -> Vec<TestResult> {
        let at = to_micros(self.now());
        let id = ids::test_alert_id(actor, &at);
        let header = &self.dispatcher.header;
        let alert = AlertMessage::test(&id, actor, header, at);
        let tests = self.dispatcher.channels.iter().map(|channel| async {
            let started = Instant::now();
            let delivered = channel.deliver(&alert).await;
            if delivered.is_ok() {
                self.dispatcher.channel_works(&channel.name, at);
            }
            TestResult {
                channel: channel.name.clone(),
                kind: channel.kind_name(),
                target: channel.target().to_owned(),
                error: delivered.err().map(|error| error.to_string()),
                took: started.elapsed(),
            }
        });
        join_all(tests).await
    }
}
