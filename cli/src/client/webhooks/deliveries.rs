//! Deliveries and events: listing them, sending them again, and testing an endpoint.

use std::io;

use echeck_proto::returns::v1 as proto;
use proto::WebhookDeliveryState;
use proto::replay_request::Selection;

use super::super::RequestId;
use super::super::connect::{Client, pages};
use super::super::show::{or_dash, time};
use super::super::{Failure, Words as _, exit};
use super::arguments::{DeliveryArguments, EventArguments, RecoverArguments, ReplayArguments};
use crate::output::{Columns, counted, out};

pub(super) async fn list(arguments: DeliveryArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListDeliveriesRequest {
            endpoint_id: arguments.endpoint.clone(),
            state: arguments.state.map_or(0, |state| state as i32),
            event_id: arguments.event.clone(),
            message_id: String::new(),
            transfer_id: arguments.transfer.clone(),
            page_size,
            page_token,
        };
        let answer = service.webhooks().list_deliveries(ask).await?;
        let answer = answer.into_inner();
        Ok((answer.deliveries, answer.next_page_token))
    })
    .await?;
    service.show_all(&found, "No deliveries.", columns)?;
    let lost = |one: &proto::WebhookDelivery| one.state() == WebhookDeliveryState::Undeliverable;
    Ok(exit::ok_if(!found.iter().any(lost), exit::NEEDS_ATTENTION))
}

fn columns(delivery: &proto::WebhookDelivery) -> Columns {
    vec![
        ("MESSAGE", delivery.message_id.to_string()),
        ("ENDPOINT", delivery.endpoint_id.to_string()),
        ("TYPE", delivery.event_type.to_string()),
        ("TRANSFER", or_dash(&delivery.transfer_id)),
        ("STATE", delivery.state().words()),
        (">ATTEMPTS", delivery.attempts.to_string()),
        ("NEXT ATTEMPT", time(delivery.next_attempt_at.as_ref())),
        ("LAST ERROR", delivery.last_error.to_string()),
    ]
}

pub(super) async fn events(arguments: EventArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListEventsRequest {
            style: arguments.style as i32,
            api_version: arguments.api_version.clone(),
            start_time: arguments.since,
            end_time: arguments.until,
            transfer_id: arguments.transfer.clone(),
            page_size,
            page_token,
        };
        let answer = service.webhooks().list_events(ask).await?;
        let answer = answer.into_inner();
        Ok((answer.events, answer.next_page_token))
    });
    service.show_all(&found.await?, "No events.", event_columns)
}

fn event_columns(event: &proto::WebhookEvent) -> Columns {
    vec![
        ("EVENT", event.event_id.to_string()),
        (">SEQUENCE", event.sequence.to_string()),
        ("TYPE", event.event_type.to_string()),
        ("TRANSFER", or_dash(&event.transfer_id)),
        ("MERCHANT", or_dash(&event.merchant)),
        ("AT", time(event.occurred_at.as_ref())),
    ]
}

pub(super) async fn replay(arguments: ReplayArguments, service: &Client) -> Result<u8, Failure> {
    let change = arguments.change;
    let ask = proto::ReplayRequest {
        endpoint_id: arguments.endpoint_id,
        selection: arguments
            .event
            .map(Selection::EventId)
            .or(arguments.message.map(Selection::MessageId)),
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.webhooks().replay(ask).await?.into_inner();
    service.show(&answer, |answer| print_sent(answer.messages))
}

pub(super) async fn recover(arguments: RecoverArguments, service: &Client) -> Result<u8, Failure> {
    let change = arguments.change;
    let ask = proto::RecoverRequest {
        endpoint_id: arguments.endpoint_id,
        start_time: Some(arguments.since),
        end_time: arguments.until,
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.webhooks().recover(ask).await?.into_inner();
    service.show(&answer, |answer| print_sent(answer.messages))
}

fn print_sent(messages: u64) -> io::Result<()> {
    let messages = counted(messages, "message is", "messages are");
    writeln!(out(), "{messages} being sent.")
}

pub(super) async fn test(
    endpoint_id: String,
    RequestId { request_id }: RequestId,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::SendTestEventRequest {
        endpoint_id,
        request_id,
    };
    let answer = service.webhooks().send_test_event(ask).await?.into_inner();
    service.show(&answer, |answer| {
        let (status, took_ms) = (answer.http_status, answer.took_ms);
        match answer.delivered {
            true => writeln!(out(), "Accepted: HTTP {status} after {took_ms} ms."),
            false => writeln!(out(), "Not accepted after {took_ms} ms: {}.", answer.error),
        }
    })?;
    Ok(exit::ok_if(answer.delivered, exit::NEEDS_ATTENTION))
}
