//! Incidents: what keeps jobs from being right, and whether people were told.

use std::sync::Arc;

use echeck_proto::returns::v1 as proto;
use proto::incident_service_server::IncidentService;
use returns_alerts::{IncidentDetails, IncidentManager};
use tonic::{Request, Response, Status};

use super::errors::{self, ApiError};
use super::{convert_incident as convert, page};

/// The longest name and the longest note that are kept with an incident.
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

    async fn as_it_is(&self, incident_id: &str) -> Result<Option<proto::Incident>, ApiError> {
        let details = self.details(incident_id).await?;
        Ok(Some(convert::incident(&details.incident, &details.alerts)))
    }
}

/// Refuses an actor or a note that could not be kept.
fn check_words(actor: &str, note: &str) -> Result<(), ApiError> {
    if actor.trim().is_empty() {
        return Err(errors::invalid(
            "actor",
            "is required; it is recorded with the incident",
        ));
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

#[tonic::async_trait]
impl IncidentService for IncidentApi {
    async fn list_incidents(
        &self,
        request: Request<proto::ListIncidentsRequest>,
    ) -> Result<Response<proto::ListIncidentsResponse>, Status> {
        let request = request.into_inner();
        let size = page::size(request.page_size);
        let before = page::time_and_id(&request.page_token)?;
        let state = convert::state_from(request.state());
        let (incidents, alerts) = self.manager.incidents(state, before, size).await;
        let next_page_token = match incidents.last() {
            Some(last) if incidents.len() == size as usize => {
                page::token_of(last.opened_at, &last.incident_id)
            }
            Some(_) | None => String::new(),
        };
        let incidents = incidents.iter().map(|incident| {
            let about = |alert: &&_| about(alert, &incident.incident_id);
            let alerts: Vec<_> = alerts.iter().filter(about).cloned().collect();
            convert::incident(incident, &alerts)
        });
        Ok(Response::new(proto::ListIncidentsResponse {
            incidents: incidents.collect(),
            next_page_token,
            from_memory: self.manager.is_away(),
        }))
    }

    async fn get_incident(
        &self,
        request: Request<proto::GetIncidentRequest>,
    ) -> Result<Response<proto::GetIncidentResponse>, Status> {
        let details = self.details(&request.into_inner().incident_id).await?;
        Ok(Response::new(proto::GetIncidentResponse {
            incident: Some(convert::incident(&details.incident, &details.alerts)),
            events: details.events.iter().map(convert::event).collect(),
            alert_text: details.text,
        }))
    }

    async fn acknowledge_incident(
        &self,
        request: Request<proto::AcknowledgeIncidentRequest>,
    ) -> Result<Response<proto::AcknowledgeIncidentResponse>, Status> {
        let request = request.into_inner();
        check_words(&request.actor, &request.note)?;
        self.manager
            .acknowledge(&request.incident_id, &request.actor, &request.note)
            .await
            .map_err(ApiError::from)?;
        Ok(Response::new(proto::AcknowledgeIncidentResponse {
            incident: self.as_it_is(&request.incident_id).await?,
        }))
    }

    async fn close_incident(
        &self,
        request: Request<proto::CloseIncidentRequest>,
    ) -> Result<Response<proto::CloseIncidentResponse>, Status> {
        let request = request.into_inner();
        check_words(&request.actor, &request.note)?;
        self.manager
            .close(&request.incident_id, &request.actor, &request.note)
            .await
            .map_err(ApiError::from)?;
        Ok(Response::new(proto::CloseIncidentResponse {
            incident: self.as_it_is(&request.incident_id).await?,
        }))
    }

    async fn send_test_alert(
        &self,
        request: Request<proto::SendTestAlertRequest>,
    ) -> Result<Response<proto::SendTestAlertResponse>, Status> {
        let actor = request.into_inner().actor;
        check_words(&actor, "")?;
        let results = self.manager.test_channels(&actor).await;
        Ok(Response::new(proto::SendTestAlertResponse {
            channels: results.iter().map(convert::test).collect(),
        }))
    }
}

fn about(alert: &returns_model::incident::AlertRecord, incident_id: &str) -> bool {
    alert.incident_id == incident_id
}
