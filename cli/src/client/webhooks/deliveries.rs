//! Deliveries and events: listing them, sending them again, and testing an endpoint.

use echeck_proto::returns::v1 as proto;
use proto::WebhookDeliveryState;
use proto::replay_request::Selection;

use super::super::connect::{Service, pages};
use super::super::show::{or_dash, time};
use super::super::{Failure, Words as _, exit};
use super::arguments::{DeliveryArguments, EventArguments, RecoverArguments, ReplayArguments};
use crate::output::{Table, counted, print_line};

pub(super) async fn list(arguments: DeliveryArguments, service: &Service) -> Result<u8, Failure> {
    let state = arguments.state.map(WebhookDeliveryState::from);
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListDeliveriesRequest {
            endpoint_id: arguments.endpoint.clone(),
            state: state.unwrap_or_default().into(),
            event_id: arguments.event.clone(),
            message_id: String::new(),
            transfer_id: arguments.transfer.clone(),
            page_size,
            page_token,
        };
        let answer = service.webhooks().list_deliveries(service.ask(ask)).await?;
        let answer = answer.into_inner();
        Ok((answer.deliveries, answer.next_page_token))
    })
    .await?;
    service.show_all(&found, "No deliveries.", table)?;
    let lost = |one: &proto::WebhookDelivery| one.state() == WebhookDeliveryState::Undeliverable;
    Ok(exit::ok_if(!found.iter().any(lost), exit::NEEDS_ATTENTION))
}

fn table(deliveries: &[proto::WebhookDelivery]) -> Table {
    let mut table = Table::new(&[
        "MESSAGE",
        "ENDPOINT",
        "TYPE",
        "TRANSFER",
        "STATE",
        ">ATTEMPTS",
        "NEXT ATTEMPT",
        "LAST ERROR",
    ]);
    for delivery in deliveries {
        table.row(&[
            &delivery.message_id,
            &delivery.endpoint_id,
            &delivery.event_type,
            &or_dash(&delivery.transfer_id),
            &delivery.state().words(),
            &delivery.attempts,
            &time(delivery.next_attempt_at.as_ref()),
            &delivery.last_error,
        ]);
    }
    table
}

pub(super) async fn events(arguments: EventArguments, service: &Service) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListEventsRequest {
            style: proto::WebhookStyle::from(arguments.style).into(),
            api_version: arguments.api_version.clone(),
            start_time: arguments.since,
            end_time: arguments.until,
            transfer_id: arguments.transfer.clone(),
            page_size,
            page_token,
        };
        let answer = service.webhooks().list_events(service.ask(ask)).await?;
        let answer = answer.into_inner();
        Ok((answer.events, answer.next_page_token))
    });
    service.show_all(&found.await?, "No events.", event_table)
}

fn event_table(events: &[proto::WebhookEvent]) -> Table {
    let mut table = Table::new(&["EVENT", ">SEQUENCE", "TYPE", "TRANSFER", "MERCHANT", "AT"]);
    for event in events {
        table.row(&[
            &event.event_id,
            &event.sequence,
            &event.event_type,
            &or_dash(&event.transfer_id),
            &or_dash(&event.merchant),
            &time(event.occurred_at.as_ref()),
        ]);
    }
    table
}

pub(super) async fn replay(arguments: ReplayArguments, service: &Service) -> Result<u8, Failure> {
    let change = arguments.change;
    let ask = service.ask(proto::ReplayRequest {
        endpoint_id: arguments.endpoint_id,
        selection: arguments
            .event
            .map(Selection::EventId)
            .or(arguments.message.map(Selection::MessageId)),
        actor: change.actor,
        reason: change.reason,
    });
    let answer = service.webhooks().replay(ask).await?.into_inner();
    service.show(&answer, |answer| print_sent(answer.messages))
}

pub(super) async fn recover(arguments: RecoverArguments, service: &Service) -> Result<u8, Failure> {
    let change = arguments.change;
    let ask = service.ask(proto::RecoverRequest {
        endpoint_id: arguments.endpoint_id,
        start_time: Some(arguments.since),
        end_time: arguments.until,
        actor: change.actor,
        reason: change.reason,
    });
    let answer = service.webhooks().recover(ask).await?.into_inner();
    service.show(&answer, |answer| print_sent(answer.messages))
}

fn print_sent(messages: u64) -> Result<(), Failure> {
    let messages = counted(messages, "message is", "messages are");
    Ok(print_line(&format!("{messages} being sent."))?)
}

pub(super) async fn test(
    endpoint_id: String,
    actor: String,
    service: &Service,
) -> Result<u8, Failure> {
    let ask = service.ask(proto::SendTestEventRequest { endpoint_id, actor });
    let answer = service.webhooks().send_test_event(ask).await?.into_inner();
    service.show(&answer, |answer| {
        let (status, took_ms) = (answer.http_status, answer.took_ms);
        Ok(print_line(&if answer.delivered {
            format!("Accepted: HTTP {status} after {took_ms} ms.")
        } else {
            format!("Not accepted after {took_ms} ms: {}.", answer.error)
        })?)
    })?;
    Ok(exit::ok_if(answer.delivered, exit::NEEDS_ATTENTION))
}
