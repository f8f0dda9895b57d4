//! Endpoints and their keys.

use std::io;

use echeck_proto::returns::v1 as proto;
use proto::WebhookOwnerNotificationState as NotificationState;

use super::super::arguments::{Change, RequestId};
use super::super::connect::{Client, pages};
use super::super::show::or_dash;
use super::arguments::{CreateArguments, RotateArguments, SwitchArguments, UpdateArguments};
use crate::failure::{Failure, missing};
use crate::output::{Columns, Details, Table, Tone, field, out};
use crate::words::{Words as _, time};

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
    service.show_list(&found.await?, none, columns)
}

fn columns(endpoint: &proto::WebhookEndpoint) -> Columns {
    vec![
        field("ENDPOINT", &endpoint.endpoint_id),
        field("STATE", state(endpoint)).text().tone(tone(endpoint)),
        field("STYLE", endpoint.style().words()).extra(2),
        field("VERSION", or_dash(&endpoint.api_version)).extra(3),
        field("TYPES", types(endpoint)).text().extra(2),
        field("FAILING SINCE", time(endpoint.failing_since.as_ref())).extra(1),
        field("URL", &endpoint.url).text(),
    ]
}

fn types(endpoint: &proto::WebhookEndpoint) -> String {
    match endpoint.event_types.as_slice() {
        [] => "all".to_owned(),
        types => types.join(" "),
    }
}

fn tone(endpoint: &proto::WebhookEndpoint) -> Tone {
    match (endpoint.enabled, endpoint.failing_since) {
        (true, None) => Tone::Good,
        (true, Some(_)) => Tone::Attention,
        (false, _) => Tone::Bad,
    }
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
    let endpoint = answer.endpoint.ok_or_else(|| missing("endpoint"))?;
    service.show(&endpoint, print)
}

fn print(endpoint: &proto::WebhookEndpoint) -> io::Result<()> {
    print_endpoint(endpoint)?;
    writeln!(out())?;
    let keys = Table::of(&endpoint.keys, |key| {
        vec![
            field("KEY", &key.key_id),
            field("KIND", key.kind().words()),
            field("SINCE", time(key.created_at.as_ref())),
            field("SIGNS UNTIL", time(key.retires_at.as_ref())),
        ]
    });
    keys.print()?;
    for key in endpoint
        .keys
        .iter()
        .filter(|key| !key.public_key.is_empty())
    {
        writeln!(out(), "Public key of {}: {}", key.key_id, key.public_key)?;
    }
    Ok(())
}

fn print_endpoint(endpoint: &proto::WebhookEndpoint) -> io::Result<()> {
    writeln!(out(), "{}", endpoint.endpoint_id)?;
    let mut details = Details::new();
    details.add_in(tone(endpoint), "state", state(endpoint));
    details.add("url", &endpoint.url);
    details.add("description", &endpoint.description);
    details.add("owner", &endpoint.owner_email);
    details.add("style", endpoint.style().words());
    details.add("version", &endpoint.api_version);
    details.add("types", types(endpoint));
    details.add("merchant", &endpoint.merchant);
    details.add("ordered", if endpoint.ordered { "yes" } else { "no" });
    if endpoint.failing_since.is_some() {
        details.add("failing since", time(endpoint.failing_since.as_ref()));
    }
    details.print()
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
    answer.endpoint.as_ref().map_or(Ok(()), print_endpoint)?;
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
