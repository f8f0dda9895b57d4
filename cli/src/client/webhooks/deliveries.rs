//! Deliveries and events: listing them, sending them again, and testing an endpoint.

use std::io;

use echeck_proto::returns::v1 as proto;
use proto::WebhookDeliveryState;
use proto::replay_request::Selection;

use super::super::arguments::RequestId;
use super::super::connect::{Client, pages};
use super::super::show::or_dash;
use super::arguments::{DeliveryArguments, EventArguments, RecoverArguments, ReplayArguments};
use crate::exit;
use crate::failure::Failure;
use crate::output::{Columns, Screen, Tone, counted, field, grouped, out};
use crate::words::{Words as _, time};

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
    service.show_list(&found, "No deliveries.", columns)?;
    let lost = |one: &proto::WebhookDelivery| one.state() == WebhookDeliveryState::Undeliverable;
    Ok(exit::ok_if(
        !found.items.iter().any(lost),
        exit::NEEDS_ATTENTION,
    ))
}

fn columns(delivery: &proto::WebhookDelivery) -> Columns {
    vec![
        field("MESSAGE", &delivery.message_id),
        field("STATE", delivery.state().words()).tone(delivery.state().tone()),
        field("TYPE", &delivery.event_type),
        field("TRANSFER", or_dash(&delivery.transfer_id)).extra(2),
        field("ATTEMPTS", grouped(delivery.attempts))
            .right()
            .extra(1),
        field("NEXT ATTEMPT", time(delivery.next_attempt_at.as_ref())).extra(3),
        field("LAST ERROR", &delivery.last_error).text().extra(1),
        field("ENDPOINT", &delivery.endpoint_id).extra(4),
    ]
}

pub(super) async fn events(arguments: EventArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListEventsRequest {
            style: arguments.style as i32,
            api_version: arguments.api_version.clone(),
            start_time: arguments.period.since,
            end_time: arguments.period.until,
            transfer_id: arguments.transfer.clone(),
            page_size,
            page_token,
        };
        let answer = service.webhooks().list_events(ask).await?;
        let answer = answer.into_inner();
        Ok((answer.events, answer.next_page_token))
    });
    service.show_list(&found.await?, "No events.", event_columns)
}

fn event_columns(event: &proto::WebhookEvent) -> Columns {
    vec![
        field("EVENT", &event.event_id),
        field("TYPE", &event.event_type),
        field("AT", time(event.occurred_at.as_ref())),
        field("TRANSFER", or_dash(&event.transfer_id)).extra(1),
        field("MERCHANT", or_dash(&event.merchant)).extra(2),
        field("SEQUENCE", grouped(event.sequence)).right().extra(3),
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
            true => {
                let accepted = Tone::Good.paint("Accepted", Screen::of_stdout());
                writeln!(out(), "{accepted}: HTTP {status} after {took_ms} ms.")
            }
            false => {
                let refused = Tone::Bad.paint("Not accepted", Screen::of_stdout());
                writeln!(out(), "{refused} after {took_ms} ms: {}.", answer.error)
            }
        }
    })?;
    Ok(exit::ok_if(answer.delivered, exit::NEEDS_ATTENTION))
}
