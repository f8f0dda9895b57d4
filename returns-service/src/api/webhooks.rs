//! Webhooks: whom platforms' messages go to, and what became of them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::SharedClock;
use proto::webhook_service_server::WebhookService;
use returns_alerts::IncidentReporter;
use returns_model::endpoint::Endpoint;
use returns_model::incident::{Area, Subject};
use returns_model::job::AuditRecord;
use returns_store::{Notifier, Store};
use returns_webhooks::SignedClient;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::errors::{self, ApiError};
use super::jobs::Who;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct WebhookApi {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) client: SignedClient,
    pub(crate) clock: SharedClock,
    pub(crate) notifier: Notifier,
    pub(crate) incidents: IncidentReporter,
}

impl WebhookApi {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The endpoint with this id.
    pub(super) async fn one(&self, endpoint_id: &str) -> Result<Endpoint, ApiError> {
        self.store
            .endpoint(endpoint_id)
            .await?
            .ok_or_else(|| errors::not_found("endpoint", endpoint_id))
    }

    pub(super) fn audit(
        &self,
        who: &Who<'_>,
        action: &str,
        endpoint_id: &str,
        (before, after): (&str, &str),
    ) -> AuditRecord {
        AuditRecord {
            audit_id: format!("aud_{}", Uuid::new_v4().simple()),
            at: self.now(),
            actor: who.actor.to_owned(),
            action: action.to_owned(),
            subject: format!("endpoint:{endpoint_id}"),
            before: before.to_owned(),
            after: after.to_owned(),
            reason: who.reason.to_owned(),
        }
    }

    /// Tells that whatever was wrong with an endpoint was seen to, if that is so: it is enabled and
    /// no message to it is given up.
    pub(super) async fn clear_if_well(&self, endpoint_id: &str) -> Result<(), ApiError> {
        let endpoint = self.one(endpoint_id).await?;
        let dead = self.store.dead_letters(endpoint_id).await;
        let dead = dead?;
        if dead == 0 && endpoint.is_enabled() {
            let subject = Subject::Endpoint(endpoint_id.to_owned());
            self.incidents.clear(subject, Area::Webhook, self.now());
        }
        Ok(())
    }
}

/// Hands every call to the file that has its subject.
#[tonic::async_trait]
impl WebhookService for WebhookApi {
    async fn create_endpoint(
        &self,
        request: Request<proto::CreateEndpointRequest>,
    ) -> Result<Response<proto::CreateEndpointResponse>, Status> {
        Ok(Response::new(self.create(request.into_inner()).await?))
    }

    async fn update_endpoint(
        &self,
        request: Request<proto::UpdateEndpointRequest>,
    ) -> Result<Response<proto::UpdateEndpointResponse>, Status> {
        Ok(Response::new(self.update(request.into_inner()).await?))
    }

    async fn rotate_secret(
        &self,
        request: Request<proto::RotateSecretRequest>,
    ) -> Result<Response<proto::RotateSecretResponse>, Status> {
        Ok(Response::new(self.rotate(request.into_inner()).await?))
    }

    async fn disable_endpoint(
        &self,
        request: Request<proto::DisableEndpointRequest>,
    ) -> Result<Response<proto::DisableEndpointResponse>, Status> {
        Ok(Response::new(self.disable(request.into_inner()).await?))
    }

    async fn enable_endpoint(
        &self,
        request: Request<proto::EnableEndpointRequest>,
    ) -> Result<Response<proto::EnableEndpointResponse>, Status> {
        Ok(Response::new(self.enable(request.into_inner()).await?))
    }

    async fn list_endpoints(
        &self,
        request: Request<proto::ListEndpointsRequest>,
    ) -> Result<Response<proto::ListEndpointsResponse>, Status> {
        Ok(Response::new(
            self.page_of_endpoints(request.into_inner()).await?,
        ))
    }

    async fn get_endpoint(
        &self,
        request: Request<proto::GetEndpointRequest>,
    ) -> Result<Response<proto::GetEndpointResponse>, Status> {
        Ok(Response::new(
            self.endpoint_with_keys(&request.into_inner().endpoint_id)
                .await?,
        ))
    }

    async fn list_deliveries(
        &self,
        request: Request<proto::ListDeliveriesRequest>,
    ) -> Result<Response<proto::ListDeliveriesResponse>, Status> {
        Ok(Response::new(
            self.page_of_deliveries(request.into_inner()).await?,
        ))
    }

    async fn list_events(
        &self,
        request: Request<proto::ListEventsRequest>,
    ) -> Result<Response<proto::ListEventsResponse>, Status> {
        Ok(Response::new(
            self.page_of_events(request.into_inner()).await?,
        ))
    }

    async fn replay(
        &self,
        request: Request<proto::ReplayRequest>,
    ) -> Result<Response<proto::ReplayResponse>, Status> {
        Ok(Response::new(
            Self::replay(self, request.into_inner()).await?,
        ))
    }

    async fn recover(
        &self,
        request: Request<proto::RecoverRequest>,
    ) -> Result<Response<proto::RecoverResponse>, Status> {
        Ok(Response::new(
            Self::recover(self, request.into_inner()).await?,
        ))
    }

    async fn send_test_event(
        &self,
        request: Request<proto::SendTestEventRequest>,
    ) -> Result<Response<proto::SendTestEventResponse>, Status> {
        Ok(Response::new(self.send_test(request.into_inner()).await?))
    }
}
