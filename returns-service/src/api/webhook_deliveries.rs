//! Deliveries and events: listing them, sending them again, and testing an endpoint.

use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use proto::replay_request::Selection;
use returns_model::delivery::{Delivery, DeliveryFilter, Redelivery};
use returns_model::endpoint::{messages_for, payload_version};
use returns_model::event::EventFilter;
use returns_webhooks::{recover, test_body};
use uuid::Uuid;

use super::convert::milliseconds;
use super::enums::requested;
use super::errors::{self, ApiError};
use super::operator::Operator;
use super::webhooks::WebhookApi;
use super::{answer, convert_webhook as convert, page};

fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl WebhookApi {
    pub(super) async fn list_deliveries(
        &self,
        request: proto::ListDeliveriesRequest,
    ) -> Result<proto::ListDeliveriesResponse, ApiError> {
        let size = page::size(request.page_size);
        let before = page::place(&request.page_token)?;
        let filter = DeliveryFilter {
            state: requested::<proto::WebhookDeliveryState>("state", request.state)?,
            endpoint_id: given(request.endpoint_id),
            event_id: given(request.event_id),
            message_id: given(request.message_id),
            transfer_id: given(request.transfer_id),
        };
        let found = self.store.deliveries(&filter, before, size).await?;
        if found.is_empty()
            && let Some(id) = &filter.endpoint_id
            && self.store.endpoint(id).await?.is_none()
        {
            let what = format!("there is no endpoint {id:?}");
            return Err(errors::invalid("endpoint_id", what));
        }
        let place = |last: &Delivery| {
            let (endpoint, event_type) = (last.endpoint_id.clone(), last.event_type.clone());
            (last.sequence, endpoint, event_type)
        };
        let end = page::next(&found, size, place);
        let (deliveries, next_page_token) =
            answer::page(found, end, place, |one| Some(convert::delivery(&one)));
        Ok(proto::ListDeliveriesResponse {
            deliveries,
            next_page_token,
        })
    }

    pub(super) async fn list_events(
        &self,
        caller: &Caller,
        request: proto::ListEventsRequest,
    ) -> Result<proto::ListEventsResponse, ApiError> {
        let size = page::size(request.page_size);
        let style = convert::style(request.style)?;
        let payload_version =
            payload_version(style, &request.api_version).map_err(|fault| vec![fault])?;
        let filter = EventFilter {
            since: convert::optional_time("start_time", request.start_time)?,
            until: convert::optional_time("end_time", request.end_time)?,
            transfer_id: given(request.transfer_id),
            after: page::place(&request.page_token)?.unwrap_or_default(),
        };
        let found = self.store.events(&filter, size).await?;
        let end = page::next(&found, size, |last| last.sequence);
        let mut events = Vec::with_capacity(found.len());
        for event in &found {
            // What is another merchant's is left out, so that a page may be short, or empty.
            let messages = match caller.merchants().include(&event.new.merchant) {
                true => convert::messages(event, payload_version)?,
                false => Vec::new(),
            };
            events.push((event.sequence, messages));
        }
        let (events, next_page_token) = answer::page(
            events,
            end,
            |(sequence, _)| *sequence,
            |(_, messages)| messages,
        );
        Ok(proto::ListEventsResponse {
            events,
            next_page_token,
        })
    }

    pub(super) async fn replay(
        &self,
        caller: &Caller,
        request: proto::ReplayRequest,
    ) -> Result<proto::ReplayResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let endpoint = self.endpoint(&request.endpoint_id).await?;
        let now = self.now();
        let (subject, messages) = match request.selection {
            None => return Err(errors::invalid("event_id", "is required, or message_id")),
            Some(Selection::EventId(event_id)) => {
                let event = self.store.event(&event_id).await?;
                let event = event.ok_or_else(|| errors::not_found("event", &event_id))?;
                let messages = recover::replay(&*self.store, &endpoint, &event, now).await?;
                (event_id, messages)
            }
            Some(Selection::MessageId(message_id)) => {
                let filter = DeliveryFilter {
                    endpoint_id: Some(endpoint.endpoint_id.clone()),
                    message_id: Some(message_id.clone()),
                    ..DeliveryFilter::default()
                };
                let found = self.store.deliveries(&filter, None, 1).await?;
                let found = found.first();
                let found = found.ok_or_else(|| errors::not_found("message", &message_id))?;
                let events = self.store.events_at(&[found.sequence]).await?;
                let again: Vec<Redelivery> = events
                    .iter()
                    .flat_map(|event| messages_for(&endpoint, &event.new, event.sequence))
                    .filter(|one| one.message_id == message_id)
                    .collect();
                (message_id, self.store.redeliver(&again, true, now).await?)
            }
        };
        if messages == 0 {
            let what = "the endpoint subscribes to no message of this event: its style, version, \
                        event_types or merchant leave it out";
            return Err(errors::precondition("NOT_SUBSCRIBED", what));
        }
        let after = format!("{subject}: {messages} messages");
        self.sent_again(operator, "replay", &endpoint.endpoint_id, &after)
            .await?;
        Ok(proto::ReplayResponse { messages })
    }

    pub(super) async fn recover(
        &self,
        caller: &Caller,
        request: proto::RecoverRequest,
    ) -> Result<proto::RecoverResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let endpoint = self.endpoint(&request.endpoint_id).await?;
        let now = self.now();
        let since = convert::optional_time("start_time", request.start_time)?
            .ok_or_else(|| errors::invalid("start_time", "is required"))?;
        let until = convert::optional_time("end_time", request.end_time)?.unwrap_or(now);
        if until <= since {
            return Err(errors::invalid("end_time", "must be after start_time"));
        }
        let messages = recover::recover(&*self.store, &endpoint, since, until, now).await?;
        let after = format!("{since} to {until}: {messages} messages");
        self.sent_again(operator, "recover", &endpoint.endpoint_id, &after)
            .await?;
        Ok(proto::RecoverResponse { messages })
    }

    /// Records that messages are sent again. When none is undeliverable any more, the incident
    /// about that is over.
    async fn sent_again(
        &self,
        operator: Operator<'_>,
        action: &str,
        endpoint_id: &str,
        after: &str,
    ) -> Result<(), ApiError> {
        let audit = self.audit(operator, action, endpoint_id, ("", after));
        self.store.record_audit(&audit).await?;
        self.clear_incident_if_recovered(endpoint_id).await?;
        tracing::info!(
            endpoint_id,
            action,
            actor = operator.identity(),
            reason = operator.reason,
            after,
            "an operator sends webhooks again"
        );
        self.notifier.messages_due();
        Ok(())
    }

    pub(super) async fn send_test_event(
        &self,
        caller: &Caller,
        request: proto::SendTestEventRequest,
    ) -> Result<proto::SendTestEventResponse, ApiError> {
        let operator = Operator::of(caller, &request.request_id, "a test");
        let endpoint = self.endpoint(&request.endpoint_id).await?;
        let now = self.now();
        let secrets = self
            .store
            .active_secrets(&endpoint.endpoint_id, now)
            .await?;
        let keys = self.client.keys(&secrets)?;
        let message_id = format!("msg_test_{}", Uuid::new_v4().simple());
        let body = test_body(&endpoint, now);
        let posted = self.client.post(&endpoint, &keys, &message_id, body).await;
        let result = posted.error.as_deref().unwrap_or("delivered");
        let audit = self.audit(
            operator,
            "test_endpoint",
            &endpoint.endpoint_id,
            ("", result),
        );
        self.store.record_audit(&audit).await?;
        Ok(proto::SendTestEventResponse {
            delivered: posted.error.is_none(),
            http_status: posted.status.map(u32::from).unwrap_or_default(),
            error: posted.error.unwrap_or_default(),
            took_ms: milliseconds(posted.took),
            message_id,
        })
    }
}
