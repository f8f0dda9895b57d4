//! Endpoints, deliveries and events on the wire.

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::{from_proto, to_proto as timestamp};
use returns_model::delivery::Delivery;
use returns_model::endpoint::{
    Endpoint, NotificationState, OwnerNotification, PayloadVersion, SecretKind, SecretRecord, Style,
};
use returns_model::event::EventRecord;
use returns_model::ids;
use returns_webhooks::render;

use super::enums::{ToProto as _, requested};
use super::errors::{self, ApiError};

pub(super) fn endpoint(endpoint: &Endpoint, keys: &[SecretRecord]) -> proto::WebhookEndpoint {
    let settings = &endpoint.settings;
    proto::WebhookEndpoint {
        endpoint_id: endpoint.endpoint_id.clone(),
        url: settings.url.clone(),
        description: settings.description.clone(),
        owner_email: settings.owner_email.clone(),
        style: settings.style.to_proto().into(),
        api_version: settings.api_version.clone(),
        event_types: settings.event_types.clone(),
        merchant: settings.merchant.clone(),
        ordered: settings.ordered,
        enabled: endpoint.is_enabled(),
        disabled_reason: endpoint.disabled_why.clone().unwrap_or_default(),
        failing_since: endpoint.failing_since.map(timestamp),
        created_at: Some(timestamp(endpoint.created_at)),
        updated_at: Some(timestamp(endpoint.updated_at)),
        version: endpoint.version,
        keys: keys.iter().map(key).collect(),
        owner_notification: endpoint.owner_notice.as_ref().map(owner_notice),
    }
}

fn owner_notice(notice: &OwnerNotification) -> proto::WebhookOwnerNotification {
    let mut shown = proto::WebhookOwnerNotification {
        since: Some(timestamp(notice.since)),
        attempts: notice.attempts,
        ..proto::WebhookOwnerNotification::default()
    };
    match &notice.notification {
        NotificationState::Waiting { next_at, error } => {
            shown.set_state(proto::WebhookOwnerNotificationState::Pending);
            shown.next_attempt_at = Some(timestamp(*next_at));
            shown.error = error.clone().unwrap_or_default();
        }
        NotificationState::Notified { at } => {
            shown.set_state(proto::WebhookOwnerNotificationState::Sent);
            shown.notified_at = Some(timestamp(*at));
        }
        NotificationState::NotNotified { why } => {
            shown.set_state(proto::WebhookOwnerNotificationState::Undeliverable);
            shown.error.clone_from(why);
        }
    }
    shown
}

pub(super) fn key(secret: &SecretRecord) -> proto::WebhookKey {
    proto::WebhookKey {
        key_id: secret.secret_id.clone(),
        kind: secret.kind.to_proto().into(),
        public_key: secret.public_key.clone().unwrap_or_default(),
        created_at: Some(timestamp(secret.created_at)),
        retires_at: secret.retires_at.map(timestamp),
    }
}

pub(super) fn key_kind(field: &str, kind: i32) -> Result<SecretKind, ApiError> {
    let kind = requested::<proto::WebhookKeyKind>(field, kind)?;
    Ok(kind.unwrap_or(SecretKind::HmacSha256))
}

pub(super) fn style(style: i32) -> Result<Style, ApiError> {
    requested::<proto::WebhookStyle>("style", style)?
        .ok_or_else(|| errors::invalid("style", "must be FINIX or RAINFOREST"))
}

pub(super) fn delivery(delivery: &Delivery) -> proto::WebhookDelivery {
    proto::WebhookDelivery {
        endpoint_id: delivery.endpoint_id.clone(),
        message_id: delivery.message_id.clone(),
        event_id: delivery.event_id.clone(),
        sequence: delivery.sequence,
        event_type: delivery.event_type.clone(),
        transfer_id: delivery.transfer_id.clone(),
        state: delivery.state.to_proto().into(),
        attempts: delivery.attempts,
        next_attempt_at: delivery.next_attempt_at.map(timestamp),
        last_http_status: delivery
            .last_status
            .and_then(|status| u32::try_from(status).ok())
            .unwrap_or_default(),
        last_error: delivery.last_error.clone().unwrap_or_default(),
        last_attempt_at: delivery.last_attempt_at.map(timestamp),
        created_at: Some(timestamp(delivery.created_at)),
        ended_at: delivery.ended_at.map(timestamp),
    }
}

/// The messages of an event in a version.
///
/// # Errors
/// When this service is too old to read the event.
pub(super) fn messages(
    event: &EventRecord,
    payload_version: PayloadVersion,
) -> Result<Vec<proto::WebhookEvent>, ApiError> {
    let new = &event.new;
    let of_version = |(known, _): &&(PayloadVersion, String)| *known == payload_version;
    let messages = new.messages.iter().filter(of_version);
    let message = messages.map(|(_, event_type)| {
        Ok(proto::WebhookEvent {
            event_id: new.event_id.clone(),
            sequence: event.sequence,
            event_type: event_type.clone(),
            message_id: ids::message_id(&new.event_id, payload_version.as_str(), event_type),
            transfer_id: new.transfer_id.clone(),
            merchant: new.merchant.clone(),
            occurred_at: Some(timestamp(new.occurred_at)),
            body: render::body(event, payload_version, event_type)?,
        })
    });
    message.collect()
}

/// A time that a caller may set.
pub(super) fn optional_time(
    field: &str,
    at: Option<prost_types::Timestamp>,
) -> Result<Option<DateTime<Utc>>, ApiError> {
    at.map(|at| from_proto(at).ok_or_else(|| errors::invalid(field, "is not a valid time")))
        .transpose()
}
