//! Webhooks: the endpoints that messages go to.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use returns_alerts::IncidentReporter;
use returns_model::audit::AuditRecord;
use returns_model::endpoint::Endpoint;
use returns_model::incident::{Area, Subject};

use returns_store::{Notifier, Store};
use returns_webhooks::SignedClient;

use super::errors::{self, ApiError};
use super::operator::Operator;
use super::requests::Requests;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct WebhookApi {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) client: SignedClient,
    pub(crate) clock: SharedClock,
    pub(crate) notifier: Notifier,
    pub(crate) incidents: IncidentReporter,
    pub(crate) requests: Requests,
}

impl WebhookApi {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The endpoint with this id.
    pub(super) async fn endpoint(&self, endpoint_id: &str) -> Result<Endpoint, ApiError> {
        self.store
            .endpoint(endpoint_id)
            .await?
            .ok_or_else(|| errors::not_found("endpoint", endpoint_id))
    }

    pub(super) fn audit(
        &self,
        operator: Operator<'_>,
        action: &str,
        endpoint_id: &str,
        (before, after): (&str, &str),
    ) -> AuditRecord {
        let subject = format!("endpoint:{endpoint_id}");
        operator.audit(self.now(), (action, subject, (before, after)))
    }

    /// Clears the incident of an endpoint that has recovered: it is enabled, and no message to it
    /// is undeliverable.
    pub(super) async fn clear_incident_if_recovered(
        &self,
        endpoint_id: &str,
    ) -> Result<(), ApiError> {
        let endpoint = self.endpoint(endpoint_id).await?;
        let undeliverable = self.store.dead_letters(endpoint_id).await?;
        if undeliverable == 0 && endpoint.is_enabled() {
            let subject = Subject::Endpoint(endpoint_id.to_owned());
            self.incidents.clear(subject, Area::Webhook, self.now());
        }
        Ok(())
    }
}
