//! Incidents: what keeps jobs from working, and whether people were notified.

use std::sync::Arc;

use echeck_proto::returns::v1 as proto;
use returns_alerts::{IncidentDetails, IncidentManager};
use returns_model::incident::{AlertRecord, IncidentRecord};

use super::enums::requested;
use super::errors::{self, ApiError};
use super::{convert_incident as convert, page};

/// The longest name and the longest note that are recorded with an incident, in bytes.
const LONGEST_ACTOR: usize = 200;
const LONGEST_NOTE: usize = 2_000;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct IncidentApi {
    manager: Arc<IncidentManager>,
}

impl IncidentApi {
    pub(crate) fn new(manager: Arc<IncidentManager>) -> Self {
        Self { manager }
    }

    async fn details(&self, incident_id: &str) -> Result<IncidentDetails, ApiError> {
        self.manager
            .details(incident_id)
            .await
            .ok_or_else(|| errors::not_found("incident", incident_id))
    }

    fn shown(&self, incident: &IncidentRecord, alerts: &[AlertRecord]) -> proto::Incident {
        convert::incident(incident, self.manager.closes_at(incident), alerts)
    }

    async fn changed(&self, incident_id: &str) -> Result<Option<proto::Incident>, ApiError> {
        let details = self.details(incident_id).await?;
        Ok(Some(self.shown(&details.incident, &details.alerts)))
    }

    pub(super) async fn list_incidents(
        &self,
        request: proto::ListIncidentsRequest,
    ) -> Result<proto::ListIncidentsResponse, ApiError> {
        let size = page::size(request.page_size);
        let before = page::place(&request.page_token)?;
        let state = requested::<proto::IncidentState>("state", request.state)?;
        let (incidents, alerts) = self.manager.incidents(state, before, size).await;
        let next_page_token = page::next(&incidents, size, |last| {
            (last.opened_at, last.incident_id.clone())
        });
        let incidents = incidents.iter().map(|incident| {
            let alerts = alerts
                .iter()
                .filter(|alert| alert.incident_id == incident.incident_id);
            self.shown(incident, &alerts.cloned().collect::<Vec<_>>())
        });
        Ok(proto::ListIncidentsResponse {
            incidents: incidents.collect(),
            next_page_token,
            from_memory: self.manager.is_away(),
        })
    }

    pub(super) async fn get_incident(
        &self,
        request: proto::GetIncidentRequest,
    ) -> Result<proto::GetIncidentResponse, ApiError> {
        let details = self.details(&request.incident_id).await?;
        Ok(proto::GetIncidentResponse {
            incident: Some(self.shown(&details.incident, &details.alerts)),
            events: details.events.iter().map(convert::event).collect(),
            alert_text: details.text,
        })
    }

    pub(super) async fn acknowledge_incident(
        &self,
        request: proto::AcknowledgeIncidentRequest,
    ) -> Result<proto::AcknowledgeIncidentResponse, ApiError> {
        check_texts(&request.actor, &request.note)?;
        self.manager
            .acknowledge(&request.incident_id, &request.actor, &request.note)
            .await?;
        let incident = self.changed(&request.incident_id).await?;
        Ok(proto::AcknowledgeIncidentResponse { incident })
    }

    pub(super) async fn close_incident(
        &self,
        request: proto::CloseIncidentRequest,
    ) -> Result<proto::CloseIncidentResponse, ApiError> {
        check_texts(&request.actor, &request.note)?;
        self.manager
            .close(&request.incident_id, &request.actor, &request.note)
            .await?;
        let incident = self.changed(&request.incident_id).await?;
        Ok(proto::CloseIncidentResponse { incident })
    }

    pub(super) async fn send_test_alert(
        &self,
        request: proto::SendTestAlertRequest,
    ) -> Result<proto::SendTestAlertResponse, ApiError> {
        check_texts(&request.actor, "")?;
        let results = self.manager.test_channels(&request.actor).await;
        Ok(proto::SendTestAlertResponse {
            channels: results.iter().map(convert::test).collect(),
        })
    }
}

/// Refuses an actor or a note that could not be recorded.
fn check_texts(actor: &str, note: &str) -> Result<(), ApiError> {
    if actor.trim().is_empty() {
        let what = "is required; it is recorded with the incident";
        return Err(errors::invalid("actor", what));
    }
    for (field, text, longest) in [
        ("actor", actor, LONGEST_ACTOR),
        ("note", note, LONGEST_NOTE),
    ] {
        if text.len() > longest {
            let what = format!("has {} bytes; the maximum is {longest}", text.len());
            return Err(errors::invalid(field, what));
        }
    }
    Ok(())
}
