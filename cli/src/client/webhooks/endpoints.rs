//! Endpoints and their keys.

use std::io;

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;
use proto::WebhookOwnerNotificationState as NotificationState;

use super::super::RequestId;
use super::super::connect::{Client, pages};
use super::super::show::{or_dash, time};
use super::super::{Change, Failure, Words as _};
use super::arguments::{CreateArguments, RotateArguments, SwitchArguments, UpdateArguments};
use crate::output::{Columns, Table, out};

pub(super) async fn list(service: &Client) -> Result<u8, Failure> {
    let found = pages(u32::MAX, async |page_size, page_token| {
        let ask = proto::ListEndpointsRequest {
            page_size,
            page_token,
        };
        let answer = service.webhooks().list_endpoints(ask).await?.into_inner();
        Ok((answer.endpoints, answer.next_page_token))
    });
    let none = "No endpoints yet: `echeck webhooks create` creates one.";
    service.show_all(&found.await?, none, columns)
}

fn columns(endpoint: &proto::WebhookEndpoint) -> Columns {
    let types = endpoint.event_types.join(" ");
    let types = if types.is_empty() { "all" } else { &types };
    vec![
        ("ENDPOINT", endpoint.endpoint_id.to_string()),
        ("STATE", state(endpoint)),
        ("STYLE", endpoint.style().words()),
        ("VERSION", or_dash(&endpoint.api_version)),
        ("TYPES", types.to_string()),
        ("FAILING SINCE", time(endpoint.failing_since.as_ref())),
        ("URL", endpoint.url.to_string()),
    ]
}

/// Whether messages are sent to it, why not, and whether its owner was notified.
fn state(endpoint: &proto::WebhookEndpoint) -> String {
    if endpoint.enabled {
        return "enabled".to_owned();
    }
    let state = format!("disabled ({})", endpoint.disabled_reason);
    let Some(notification) = &endpoint.owner_notification else {
        return state;
    };
    match notification.state() {
        NotificationState::Sent => format!("{state}; its owner was notified"),
        NotificationState::Pending
        | NotificationState::Undeliverable
        | NotificationState::Unspecified => {
            format!(
                "{state}; its owner was NOT notified: {}",
                notification.error
            )
        }
    }
}

pub(super) async fn show(endpoint_id: String, service: &Client) -> Result<u8, Failure> {
    let ask = proto::GetEndpointRequest { endpoint_id };
    let answer = service.webhooks().get_endpoint(ask).await?.into_inner();
    let endpoint = answer.endpoint.context("the service sent no endpoint")?;
    service.show(&endpoint, print)
}

fn print(endpoint: &proto::WebhookEndpoint) -> io::Result<()> {
    Table::of(std::slice::from_ref(endpoint), columns).print()?;
    writeln!(out())?;
    let keys = Table::of(&endpoint.keys, |key| {
        vec![
            ("KEY", key.key_id.to_string()),
            ("KIND", key.kind().words()),
            ("SINCE", time(key.created_at.as_ref())),
            ("SIGNS UNTIL", time(key.retires_at.as_ref())),
            ("PUBLIC KEY", or_dash(&key.public_key)),
        ]
    });
    keys.print()
}

/// Prints what to give to the platform.
fn print_key(new: &proto::NewWebhookKey) -> io::Result<()> {
    let public = new.key.as_ref().map_or("", |key| &key.public_key);
    match new.secret.as_str() {
        "" => writeln!(out(), "Give the platform this public key: {public}"),
        secret => {
            writeln!(
                out(),
                "Give the platform this secret; it is not shown again: {secret}"
            )
        }
    }
}

pub(super) async fn create(arguments: CreateArguments, service: &Client) -> Result<u8, Failure> {
    let Change {
        reason,
        request: RequestId { request_id },
    } = arguments.change;
    let ask = proto::CreateEndpointRequest {
        url: arguments.url,
        description: arguments.description,
        owner_email: arguments.owner,
        style: arguments.style as i32,
        api_version: arguments.api_version,
        event_types: arguments.types,
        merchant: arguments.merchant,
        ordered: arguments.ordered,
        key_kind: arguments.key_kind as i32,
        request_id,
        reason,
    };
    let answer = service.webhooks().create_endpoint(ask).await?.into_inner();
    service.show(&answer, print_created)
}

fn print_created(answer: &proto::CreateEndpointResponse) -> io::Result<()> {
    Table::of(answer.endpoint.as_slice(), columns).print()?;
    match &answer.key {
        Some(key) => print_key(key),
        None => writeln!(
            out(),
            "Its secret was shown when it was created; `echeck webhooks rotate` creates another."
        ),
    }
}

pub(super) async fn update(arguments: UpdateArguments, service: &Client) -> Result<u8, Failure> {
    let Change {
        reason,
        request: RequestId { request_id },
    } = arguments.change;
    let types = (arguments.all_types || !arguments.types.is_empty()).then_some(arguments.types);
    let ask = proto::UpdateEndpointRequest {
        endpoint_id: arguments.endpoint_id,
        version: 0,
        url: arguments.url,
        description: arguments.description,
        owner_email: arguments.owner,
        event_types: types.map(|event_types| proto::WebhookEventTypes { event_types }),
        merchant: arguments.merchant,
        ordered: arguments.ordered,
        request_id,
        reason,
    };
    let answer = service.webhooks().update_endpoint(ask).await?;
    service.show_one("endpoint", answer.into_inner().endpoint, columns)
}

pub(super) async fn rotate(arguments: RotateArguments, service: &Client) -> Result<u8, Failure> {
    let change = arguments.change;
    let ask = proto::RotateSecretRequest {
        endpoint_id: arguments.endpoint_id,
        kind: arguments.key_kind as i32,
        overlap_s: arguments.overlap_s,
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.webhooks().rotate_secret(ask).await?.into_inner();
    service.show(&answer, print_rotated)
}

fn print_rotated(answer: &proto::RotateSecretResponse) -> io::Result<()> {
    let key = answer.key.as_ref();
    print_key(key.ok_or_else(|| io::Error::other("the service sent no key"))?)?;
    if answer.previous_key_retires_at.is_some() {
        let until = time(answer.previous_key_retires_at.as_ref());
        writeln!(out(), "The previous key also signs until {until}.")?;
    }
    Ok(())
}

pub(super) async fn disable(arguments: SwitchArguments, service: &Client) -> Result<u8, Failure> {
    let Change {
        reason,
        request: RequestId { request_id },
    } = arguments.change;
    let ask = proto::DisableEndpointRequest {
        endpoint_id: arguments.endpoint_id,
        request_id,
        reason,
    };
    let answer = service.webhooks().disable_endpoint(ask).await?;
    service.show_one("endpoint", answer.into_inner().endpoint, columns)
}

pub(super) async fn enable(arguments: SwitchArguments, service: &Client) -> Result<u8, Failure> {
    let Change {
        reason,
        request: RequestId { request_id },
    } = arguments.change;
    let ask = proto::EnableEndpointRequest {
        endpoint_id: arguments.endpoint_id,
        request_id,
        reason,
    };
    let answer = service.webhooks().enable_endpoint(ask).await?;
    service.show_one("endpoint", answer.into_inner().endpoint, columns)
}
