//! Endpoints, deliveries and events on the wire.

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use returns_feed::timestamp;
use returns_model::delivery::{Delivery, DeliveryState};
use returns_model::endpoint::{
    Endpoint, NotificationState, OwnerNotification, PayloadVersion, SecretKind, SecretRecord, Style,
};
use returns_model::event::EventRecord;
use returns_model::ids;
use returns_webhooks::render;

use super::errors::{self, ApiError};

pub(super) fn endpoint(endpoint: &Endpoint, keys: &[SecretRecord]) -> proto::WebhookEndpoint {
    let settings = &endpoint.settings;
    let style = match settings.style {
        Style::Finix => proto::WebhookStyle::Finix,
        Style::Rainforest => proto::WebhookStyle::Rainforest,
    };
    proto::WebhookEndpoint {
        endpoint_id: endpoint.endpoint_id.clone(),
        url: settings.url.clone(),
        description: settings.description.clone(),
        owner_email: settings.owner_email.clone(),
        style: style.into(),
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
        NotificationState::Told { at } => {
            shown.set_state(proto::WebhookOwnerNotificationState::Sent);
            shown.notified_at = Some(timestamp(*at));
        }
        NotificationState::Untold { why } => {
            shown.set_state(proto::WebhookOwnerNotificationState::Undeliverable);
            shown.error.clone_from(why);
        }
    }
    shown
}

pub(super) fn key(secret: &SecretRecord) -> proto::WebhookKey {
    let kind = match secret.kind {
        SecretKind::HmacSha256 => proto::WebhookKeyKind::HmacSha256,
        SecretKind::Ed25519 => proto::WebhookKeyKind::Ed25519,
    };
    proto::WebhookKey {
        key_id: secret.secret_id.clone(),
        kind: kind.into(),
        public_key: secret.public_key.clone().unwrap_or_default(),
        created_at: Some(timestamp(secret.created_at)),
        retires_at: secret.retires_at.map(timestamp),
    }
}

pub(super) fn key_kind(kind: proto::WebhookKeyKind) -> SecretKind {
    match kind {
        proto::WebhookKeyKind::Unspecified | proto::WebhookKeyKind::HmacSha256 => {
            SecretKind::HmacSha256
        }
        proto::WebhookKeyKind::Ed25519 => SecretKind::Ed25519,
    }
}

pub(super) fn style(style: proto::WebhookStyle) -> Result<Style, ApiError> {
    match style {
        proto::WebhookStyle::Finix => Ok(Style::Finix),
        proto::WebhookStyle::Rainforest => Ok(Style::Rainforest),
        proto::WebhookStyle::Unspecified => {
            Err(errors::invalid("style", "must be FINIX or RAINFOREST"))
        }
    }
}

pub(super) fn state(state: proto::WebhookDeliveryState) -> Option<DeliveryState> {
    match state {
        proto::WebhookDeliveryState::Unspecified => None,
        proto::WebhookDeliveryState::Pending => Some(DeliveryState::Pending),
        proto::WebhookDeliveryState::Delivered => Some(DeliveryState::Delivered),
        proto::WebhookDeliveryState::Undeliverable => Some(DeliveryState::Dead),
    }
}

pub(super) fn delivery(delivery: &Delivery) -> proto::WebhookDelivery {
    let state = match delivery.state {
        DeliveryState::Pending => proto::WebhookDeliveryState::Pending,
        DeliveryState::Delivered => proto::WebhookDeliveryState::Delivered,
        DeliveryState::Dead => proto::WebhookDeliveryState::Undeliverable,
    };
    proto::WebhookDelivery {
        endpoint_id: delivery.endpoint_id.clone(),
        message_id: delivery.message_id.clone(),
        event_id: delivery.event_id.clone(),
        sequence: delivery.sequence,
        event_type: delivery.event_type.clone(),
        transfer_id: delivery.transfer_id.clone(),
        state: state.into(),
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

/// The messages by which an event is told in a payload_version.
///
/// # Errors
/// When this version cannot read it.
pub(super) fn messages(
    event: &EventRecord,
    payload_version: PayloadVersion,
) -> Result<Vec<proto::WebhookEvent>, ApiError> {
    let new = &event.new;
    let told = new
        .messages
        .iter()
        .filter(|(known, _)| *known == payload_version);
    told.map(|(_, event_type)| {
        let body = render::body(event, payload_version, event_type);
        Ok(proto::WebhookEvent {
            event_id: new.event_id.clone(),
            sequence: event.sequence,
            event_type: event_type.clone(),
            message_id: ids::message_id(&new.event_id, payload_version.as_str(), event_type),
            transfer_id: new.transfer_id.clone(),
            merchant: new.merchant.clone(),
            occurred_at: Some(timestamp(new.occurred_at)),
            body: body?,
        })
    })
    .collect()
}

/// A time that a caller names.
pub(super) fn required_time(
    field: &str,
    at: Option<prost_types::Timestamp>,
) -> Result<Option<DateTime<Utc>>, ApiError> {
    let Some(at) = at else { return Ok(None) };
    u32::try_from(at.nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(at.seconds, nanos))
        .map(Some)
        .ok_or_else(|| errors::invalid(field, "is no time"))
}
