//! Endpoints and their keys.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;
use proto::WebhookOwnerNotificationState as NotificationState;

use super::super::connect::{Service, pages};
use super::super::show::{or_dash, time};
use super::super::{Change, Failure, Words as _};
use super::arguments::{CreateArguments, RotateArguments, UpdateArguments};
use crate::output::{Table, print_line};

pub(super) async fn list(service: &Service) -> Result<u8, Failure> {
    let found = pages(u32::MAX, async |page_size, page_token| {
        let ask = service.ask(proto::ListEndpointsRequest {
            page_size,
            page_token,
        });
        let answer = service.webhooks().list_endpoints(ask).await?.into_inner();
        Ok((answer.endpoints, answer.next_page_token))
    });
    let none = "No endpoints yet: `echeck webhooks create` creates one.";
    service.show_all(&found.await?, none, table)
}

fn table(found: &[proto::WebhookEndpoint]) -> Table {
    let mut table = Table::new(&[
        "ENDPOINT",
        "STATE",
        "STYLE",
        "VERSION",
        "TYPES",
        "FAILING SINCE",
        "URL",
    ]);
    for endpoint in found {
        let types = endpoint.event_types.join(" ");
        let types = if types.is_empty() { "all" } else { &types };
        table.row(&[
            &endpoint.endpoint_id,
            &state(endpoint),
            &endpoint.style().words(),
            &or_dash(&endpoint.api_version),
            &types,
            &time(endpoint.failing_since.as_ref()),
            &endpoint.url,
        ]);
    }
    table
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

pub(super) async fn show(endpoint_id: String, service: &Service) -> Result<u8, Failure> {
    let ask = service.ask(proto::GetEndpointRequest { endpoint_id });
    let answer = service.webhooks().get_endpoint(ask).await?.into_inner();
    let endpoint = answer.endpoint.context("the service sent no endpoint")?;
    service.show(&endpoint, print)
}

fn print(endpoint: &proto::WebhookEndpoint) -> Result<(), Failure> {
    table(std::slice::from_ref(endpoint)).print()?;
    print_line("")?;
    let mut keys = Table::new(&["KEY", "KIND", "SINCE", "SIGNS UNTIL", "PUBLIC KEY"]);
    for key in &endpoint.keys {
        keys.row(&[
            &key.key_id,
            &key.kind().words(),
            &time(key.created_at.as_ref()),
            &time(key.retires_at.as_ref()),
            &or_dash(&key.public_key),
        ]);
    }
    Ok(keys.print()?)
}

fn changed(endpoint: Option<proto::WebhookEndpoint>, service: &Service) -> Result<u8, Failure> {
    let endpoint = endpoint.context("the service sent no endpoint")?;
    service.show_all(std::slice::from_ref(&endpoint), "", table)
}

/// Prints what to give to the platform.
fn print_key(new: &proto::NewWebhookKey) -> Result<(), Failure> {
    if new.secret.is_empty() {
        let public = new.key.as_ref().map_or("", |key| &key.public_key);
        print_line(&format!("Give the platform this public key: {public}"))?;
    } else {
        print_line(&format!(
            "Give the platform this secret; it is not shown again: {}",
            new.secret
        ))?;
    }
    Ok(())
}

pub(super) async fn create(arguments: CreateArguments, service: &Service) -> Result<u8, Failure> {
    let Change { actor, reason } = arguments.change;
    let ask = service.ask(proto::CreateEndpointRequest {
        url: arguments.url,
        description: arguments.description,
        owner_email: arguments.owner,
        style: proto::WebhookStyle::from(arguments.style).into(),
        api_version: arguments.api_version,
        event_types: arguments.types,
        merchant: arguments.merchant,
        ordered: arguments.ordered,
        key_kind: proto::WebhookKeyKind::from(arguments.key).into(),
        idempotency_key: arguments.idempotency_key,
        actor,
        reason,
    });
    let answer = service.webhooks().create_endpoint(ask).await?.into_inner();
    service.show(&answer, print_created)
}

fn print_created(answer: &proto::CreateEndpointResponse) -> Result<(), Failure> {
    table(answer.endpoint.as_slice()).print()?;
    match &answer.key {
        Some(key) => print_key(key),
        None => Ok(print_line(
            "It existed already; its secret was shown when it was created. \
             `echeck webhooks rotate` creates another.",
        )?),
    }
}

pub(super) async fn update(arguments: UpdateArguments, service: &Service) -> Result<u8, Failure> {
    let Change { actor, reason } = arguments.change;
    let types = (arguments.all_types || !arguments.types.is_empty()).then_some(arguments.types);
    let ask = service.ask(proto::UpdateEndpointRequest {
        endpoint_id: arguments.endpoint_id,
        version: 0,
        url: arguments.url,
        description: arguments.description,
        owner_email: arguments.owner,
        event_types: types.map(|event_types| proto::WebhookEventTypes { event_types }),
        merchant: arguments.merchant,
        ordered: arguments.ordered,
        actor,
        reason,
    });
    let answer = service.webhooks().update_endpoint(ask).await?;
    changed(answer.into_inner().endpoint, service)
}

pub(super) async fn rotate(arguments: RotateArguments, service: &Service) -> Result<u8, Failure> {
    let change = arguments.change;
    let ask = service.ask(proto::RotateSecretRequest {
        endpoint_id: arguments.endpoint_id,
        kind: proto::WebhookKeyKind::from(arguments.key).into(),
        overlap_s: arguments.overlap_s,
        actor: change.actor,
        reason: change.reason,
    });
    let answer = service.webhooks().rotate_secret(ask).await?.into_inner();
    service.show(&answer, print_rotated)
}

fn print_rotated(answer: &proto::RotateSecretResponse) -> Result<(), Failure> {
    print_key(answer.key.as_ref().context("the service sent no key")?)?;
    if answer.previous_key_retires_at.is_some() {
        let until = time(answer.previous_key_retires_at.as_ref());
        print_line(&format!("The previous key also signs until {until}."))?;
    }
    Ok(())
}

pub(super) async fn disable(
    endpoint_id: String,
    change: Change,
    service: &Service,
) -> Result<u8, Failure> {
    let ask = service.ask(proto::DisableEndpointRequest {
        endpoint_id,
        actor: change.actor,
        reason: change.reason,
    });
    let answer = service.webhooks().disable_endpoint(ask).await?;
    changed(answer.into_inner().endpoint, service)
}

pub(super) async fn enable(
    endpoint_id: String,
    change: Change,
    service: &Service,
) -> Result<u8, Failure> {
    let ask = service.ask(proto::EnableEndpointRequest {
        endpoint_id,
        actor: change.actor,
        reason: change.reason,
    });
    let answer = service.webhooks().enable_endpoint(ask).await?;
    changed(answer.into_inner().endpoint, service)
}
