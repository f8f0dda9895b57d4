//! Answers about webhooks as JSON.

use echeck_proto::returns::v1 as proto;
use prost_types::Timestamp;
use serde_json::{Value, json};

use super::super::json::{name, text, time};

pub(super) fn style(endpoint: &proto::WebhookEndpoint) -> String {
    name(endpoint.style().as_str_name(), "WEBHOOK_STYLE_")
}

pub(super) fn kind(key: &proto::WebhookKey) -> String {
    name(key.kind().as_str_name(), "WEBHOOK_KEY_KIND_")
}

pub(super) fn delivery_state(delivery: &proto::WebhookDelivery) -> String {
    name(delivery.state().as_str_name(), "WEBHOOK_DELIVERY_STATE_")
}

fn key(key: &proto::WebhookKey) -> Value {
    json!({
        "key_id": key.key_id,
        "kind": kind(key),
        "public_key": text(&key.public_key),
        "created_at": time(key.created_at.as_ref()),
        "retires_at": time(key.retires_at.as_ref()),
    })
}

pub(super) fn endpoint(endpoint: &proto::WebhookEndpoint) -> Value {
    json!({
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "owner_email": text(&endpoint.owner_email),
        "style": style(endpoint),
        "api_version": text(&endpoint.api_version),
        "event_types": endpoint.event_types,
        "merchant": text(&endpoint.merchant),
        "ordered": endpoint.ordered,
        "enabled": endpoint.enabled,
        "disabled_why": text(&endpoint.disabled_why),
        "failing_since": time(endpoint.failing_since.as_ref()),
        "created_at": time(endpoint.created_at.as_ref()),
        "updated_at": time(endpoint.updated_at.as_ref()),
        "version": endpoint.version,
        "owner_notice": endpoint.owner_notice.as_ref().map(owner_notice),
        "keys": endpoint.keys.iter().map(key).collect::<Vec<_>>(),
    })
}

fn owner_notice(notice: &proto::WebhookOwnerNotice) -> Value {
    let state = notice.state().as_str_name();
    json!({
        "state": name(state, "WEBHOOK_OWNER_NOTICE_STATE_"),
        "since": time(notice.since.as_ref()),
        "attempts": notice.attempts,
        "next_attempt_at": time(notice.next_attempt_at.as_ref()),
        "told_at": time(notice.told_at.as_ref()),
        "error": text(&notice.error),
    })
}

fn new_key(new: Option<&proto::NewWebhookKey>) -> Value {
    new.map_or(Value::Null, |new| {
        json!({
            "key": new.key.as_ref().map(key),
            "secret": text(&new.secret),
        })
    })
}

pub(super) fn made(made: &proto::WebhookEndpoint, key: Option<&proto::NewWebhookKey>) -> Value {
    json!({ "endpoint": endpoint(made), "key": new_key(key) })
}

pub(super) fn rotated(new: &proto::NewWebhookKey, old_retires_at: Option<&Timestamp>) -> Value {
    json!({ "key": new_key(Some(new)), "old_retires_at": time(old_retires_at) })
}

pub(super) fn delivery(delivery: &proto::WebhookDelivery) -> Value {
    json!({
        "endpoint_id": delivery.endpoint_id,
        "message_id": delivery.message_id,
        "event_id": delivery.event_id,
        "sequence": delivery.sequence,
        "event_type": delivery.event_type,
        "transfer_id": text(&delivery.transfer_id),
        "state": delivery_state(delivery),
        "attempts": delivery.attempts,
        "next_attempt_at": time(delivery.next_attempt_at.as_ref()),
        "last_status": delivery.last_status,
        "last_error": text(&delivery.last_error),
        "last_attempt_at": time(delivery.last_attempt_at.as_ref()),
        "created_at": time(delivery.created_at.as_ref()),
        "ended_at": time(delivery.ended_at.as_ref()),
    })
}

pub(super) fn event(event: &proto::WebhookEvent) -> Value {
    json!({
        "event_id": event.event_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "message_id": event.message_id,
        "transfer_id": text(&event.transfer_id),
        "merchant": text(&event.merchant),
        "occurred_at": time(event.occurred_at.as_ref()),
        "body": event.body,
    })
}

pub(super) fn test(answer: &proto::SendTestEventResponse) -> Value {
    json!({
        "delivered": answer.delivered,
        "status": answer.status,
        "error": text(&answer.error),
        "took_ms": answer.took_ms,
        "message_id": answer.message_id,
    })
}
