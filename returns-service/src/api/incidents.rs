//! Incidents: what keeps jobs from working, and whether people were notified.

use std::sync::Arc;

use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use returns_alerts::{IncidentDetails, IncidentManager};
use returns_model::incident::{AlertRecord, IncidentRecord};

use super::enums::requested;
use super::errors::{self, ApiError};
use super::operator::Operator;
use super::requests::Requests;
use super::{answer, convert_incident as convert, page};

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct IncidentApi {
    pub(crate) manager: Arc<IncidentManager>,
    pub(crate) requests: Requests,
}

impl IncidentApi {
    /// Records what was done. Incidents are worked on even while the returns database is away, when
    /// nothing can be recorded.
    async fn record(
        &self,
        operator: Operator<'_>,
        (action, subject, texts): (&str, String, (&str, &str)),
    ) {
        let at = self.requests.clock.now();
        let audit = operator.audit(at, (action, subject, texts));
        if let Err(error) = self.requests.store.record_audit(&audit).await {
            tracing::warn!(
                %error,
                action,
                identity = operator.identity(),
                "what was done about an incident is not in the audit log"
            );
        }
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
        let place = |last: &IncidentRecord| (last.opened_at, last.incident_id.clone());
        let end = page::next(&incidents, size, place);
        let (incidents, next_page_token) = answer::page(incidents, end, place, |incident| {
            let alerts = alerts
                .iter()
                .filter(|alert| alert.incident_id == incident.incident_id);
            Some(self.shown(&incident, &alerts.cloned().collect::<Vec<_>>()))
        });
        Ok(proto::ListIncidentsResponse {
            incidents,
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
        caller: &Caller,
        request: proto::AcknowledgeIncidentRequest,
    ) -> Result<proto::AcknowledgeIncidentResponse, ApiError> {
        let operator = Operator::with_note(caller, &request.request_id, &request.note)?;
        self.manager
            .acknowledge(&request.incident_id, operator.identity(), &request.note)
            .await?;
        let subject = format!("incident:{}", request.incident_id);
        self.record(
            operator,
            ("acknowledge_incident", subject, ("open", "acknowledged")),
        )
        .await;
        let incident = self.changed(&request.incident_id).await?;
        Ok(proto::AcknowledgeIncidentResponse { incident })
    }

    pub(super) async fn close_incident(
        &self,
        caller: &Caller,
        request: proto::CloseIncidentRequest,
    ) -> Result<proto::CloseIncidentResponse, ApiError> {
        let operator = Operator::with_note(caller, &request.request_id, &request.note)?;
        self.manager
            .close(&request.incident_id, operator.identity(), &request.note)
            .await?;
        let subject = format!("incident:{}", request.incident_id);
        self.record(operator, ("close_incident", subject, ("open", "closed")))
            .await;
        let incident = self.changed(&request.incident_id).await?;
        Ok(proto::CloseIncidentResponse { incident })
    }

    pub(super) async fn send_test_alert(
        &self,
        caller: &Caller,
        request: proto::SendTestAlertRequest,
    ) -> Result<proto::SendTestAlertResponse, ApiError> {
        let operator = Operator::of(caller, &request.request_id, "a test");
        let results = self.manager.test_channels(operator.identity()).await;
        let failed = results.iter().filter(|one| one.error.is_some()).count();
        let after = format!("{} channels, {failed} failed", results.len());
        self.record(operator, ("send_test_alert", String::new(), ("", &after)))
            .await;
        Ok(proto::SendTestAlertResponse {
            channels: results.iter().map(convert::test).collect(),
        })
    }
}
