//! Deliveries and events: listing them, sending again, and trying an endpoint.

use echeck_proto::returns::v1 as proto;
use proto::replay_request::What;

use super::super::connect::{request, webhooks};
use super::super::json::moment;
use super::super::{Because, Common, Failure, exit};
use super::json;
use super::{DeliveryArguments, EventArguments};
use crate::output::{Table, print_line};

/// The largest page that the service gives.
const PAGE: u32 = 500;

pub(super) async fn list(arguments: DeliveryArguments) -> Result<u8, Failure> {
    let common = arguments.common;
    let state = arguments.state.map(proto::WebhookDeliveryState::from);
    let mut client = webhooks(&common).await?;
    let mut ask = proto::ListDeliveriesRequest {
        endpoint_id: arguments.endpoint,
        state: state.unwrap_or_default().into(),
        event_id: arguments.event,
        message_id: String::new(),
        transfer_id: arguments.transfer,
        page_size: 0,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    let mut left = arguments.limit;
    while left > 0 {
        ask.page_size = left.min(PAGE);
        let answer = client
            .list_deliveries(request(&common, ask.clone()))
            .await?;
        let answer = answer.into_inner();
        found.extend(answer.deliveries);
        left = left.saturating_sub(ask.page_size);
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    let dead = |one: &proto::WebhookDelivery| one.state() == proto::WebhookDeliveryState::Dead;
    let code = if found.iter().any(dead) {
        exit::LOOK
    } else {
        exit::FINE
    };
    if common.json {
        for delivery in &found {
            print_line(&json::delivery(delivery).to_string())?;
        }
        return Ok(code);
    }
    let mut table = Table::new(&[
        "MESSAGE",
        "ENDPOINT",
        "TYPE",
        "TRANSFER",
        "STATE",
        ">TRIES",
        "NEXT TRY",
        "LAST ERROR",
    ]);
    for delivery in &found {
        table.row(vec![
            delivery.message_id.clone(),
            delivery.endpoint_id.clone(),
            delivery.event_type.clone(),
            delivery.transfer_id.clone(),
            json::delivery_state(delivery),
            delivery.attempts.to_string(),
            moment(delivery.next_attempt_at.as_ref()),
            delivery.last_error.clone(),
        ]);
    }
    table.print()?;
    Ok(code)
}

pub(super) async fn events(arguments: EventArguments) -> Result<u8, Failure> {
    let common = arguments.common;
    let mut client = webhooks(&common).await?;
    let mut ask = proto::ListEventsRequest {
        style: proto::WebhookStyle::from(arguments.style).into(),
        api_version: arguments.api_version,
        since: arguments.since,
        until: arguments.until,
        transfer_id: arguments.transfer,
        page_size: 0,
        page_token: String::new(),
    };
    let mut table = Table::new(&["EVENT", ">SEQUENCE", "TYPE", "TRANSFER", "AT", "BODY"]);
    let mut left = arguments.limit;
    while left > 0 {
        ask.page_size = left.min(PAGE);
        let answer = client.list_events(request(&common, ask.clone())).await?;
        let answer = answer.into_inner();
        for event in &answer.events {
            if common.json {
                print_line(&json::event(event).to_string())?;
                continue;
            }
            table.row(vec![
                event.event_id.clone(),
                event.sequence.to_string(),
                event.event_type.clone(),
                event.transfer_id.clone(),
                moment(event.occurred_at.as_ref()),
                event.body.clone(),
            ]);
        }
        left = left.saturating_sub(ask.page_size);
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    if !common.json {
        table.print()?;
    }
    Ok(exit::FINE)
}

fn sent_again(messages: u64, common: &Common) -> Result<u8, Failure> {
    if common.json {
        print_line(&serde_json::json!({ "messages": messages }).to_string())?;
    } else {
        print_line(&format!("{messages} messages are sent."))?;
    }
    Ok(exit::FINE)
}

pub(super) async fn replay(
    endpoint_id: String,
    event: Option<String>,
    message: Option<String>,
    because: Because,
) -> Result<u8, Failure> {
    let common = because.common;
    let ask = proto::ReplayRequest {
        endpoint_id,
        what: event.map(What::EventId).or(message.map(What::MessageId)),
        actor: because.actor,
        reason: because.reason,
    };
    let mut client = webhooks(&common).await?;
    let answer = client.replay(request(&common, ask)).await?;
    sent_again(answer.into_inner().messages, &common)
}

pub(super) async fn recover(
    endpoint_id: String,
    since: prost_types::Timestamp,
    until: Option<prost_types::Timestamp>,
    because: Because,
) -> Result<u8, Failure> {
    let common = because.common;
    let ask = proto::RecoverRequest {
        endpoint_id,
        since: Some(since),
        until,
        actor: because.actor,
        reason: because.reason,
    };
    let mut client = webhooks(&common).await?;
    let answer = client.recover(request(&common, ask)).await?;
    sent_again(answer.into_inner().messages, &common)
}

pub(super) async fn test(
    endpoint_id: String,
    actor: String,
    common: &Common,
) -> Result<u8, Failure> {
    let ask = proto::SendTestEventRequest { endpoint_id, actor };
    let mut client = webhooks(common).await?;
    let answer = client.send_test_event(request(common, ask)).await?;
    let answer = answer.into_inner();
    if common.json {
        print_line(&json::test(&answer).to_string())?;
    } else if answer.delivered {
        print_line(&format!(
            "Taken: HTTP {} after {} ms.",
            answer.status, answer.took_ms
        ))?;
    } else {
        print_line(&format!(
            "Not taken after {} ms: {}.",
            answer.took_ms, answer.error
        ))?;
    }
    Ok(if answer.delivered {
        exit::FINE
    } else {
        exit::LOOK
    })
}
