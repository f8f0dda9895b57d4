//! Endpoints and their keys.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;

use super::super::connect::{request, webhooks};
use super::super::{Because, Common, Failure, exit};
use super::json;
use super::{CreateArguments, Key, UpdateArguments};
use crate::output::{Table, print_line};

pub(super) async fn list(common: &Common) -> Result<u8, Failure> {
    let mut client = webhooks(common).await?;
    let mut ask = proto::ListEndpointsRequest {
        page_size: 500,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    loop {
        let answer = client.list_endpoints(request(common, ask.clone())).await?;
        let answer = answer.into_inner();
        found.extend(answer.endpoints);
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    if common.json {
        for endpoint in &found {
            print_line(&json::endpoint(endpoint).to_string())?;
        }
    } else if found.is_empty() {
        print_line("There is no endpoint: `echeck webhooks create` makes one.")?;
    } else {
        table(&found).print()?;
    }
    Ok(exit::FINE)
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
        table.row(vec![
            endpoint.endpoint_id.clone(),
            state(endpoint),
            json::style(endpoint),
            endpoint.api_version.clone(),
            match endpoint.event_types.as_slice() {
                [] => "all".to_owned(),
                types => types.join(" "),
            },
            super::super::json::moment(endpoint.failing_since.as_ref()),
            endpoint.url.clone(),
        ]);
    }
    table
}

/// Whether messages are sent to it, why not, and whether its owner knows.
fn state(endpoint: &proto::WebhookEndpoint) -> String {
    if endpoint.enabled {
        return "enabled".to_owned();
    }
    let why = &endpoint.disabled_why;
    let Some(notice) = &endpoint.owner_notice else {
        return format!("disabled ({why})");
    };
    match notice.state() {
        proto::WebhookOwnerNoticeState::Told => format!("disabled ({why}); its owner was told"),
        proto::WebhookOwnerNoticeState::Waiting
        | proto::WebhookOwnerNoticeState::Untold
        | proto::WebhookOwnerNoticeState::Unspecified => {
            format!("disabled ({why}); its owner was NOT told: {}", notice.error)
        }
    }
}

pub(super) async fn show(endpoint_id: String, common: &Common) -> Result<u8, Failure> {
    let ask = proto::GetEndpointRequest { endpoint_id };
    let answer = webhooks(common)
        .await?
        .get_endpoint(request(common, ask))
        .await?
        .into_inner();
    let endpoint = answer.endpoint.context("the service sent no endpoint")?;
    changed(Some(endpoint.clone()), common)?;
    if common.json {
        return Ok(exit::FINE);
    }
    print_line("")?;
    let mut keys = Table::new(&["KEY", "KIND", "SINCE", "SIGNS UNTIL", "PUBLIC KEY"]);
    for key in &endpoint.keys {
        keys.row(vec![
            key.key_id.clone(),
            json::kind(key),
            super::super::json::moment(key.created_at.as_ref()),
            super::super::json::moment(key.retires_at.as_ref()),
            key.public_key.clone(),
        ]);
    }
    keys.print()?;
    Ok(exit::FINE)
}

fn changed(endpoint: Option<proto::WebhookEndpoint>, common: &Common) -> Result<u8, Failure> {
    let endpoint = endpoint.context("the service sent no endpoint")?;
    if common.json {
        print_line(&json::endpoint(&endpoint).to_string())?;
    } else {
        table(std::slice::from_ref(&endpoint)).print()?;
    }
    Ok(exit::FINE)
}

/// What the platform must be given, and that it is not shown again.
fn print_key(new: &proto::NewWebhookKey) -> Result<(), Failure> {
    let public = new.key.as_ref().map_or("", |key| key.public_key.as_str());
    if new.secret.is_empty() {
        print_line(&format!("Give the platform this public key: {public}"))?;
    } else {
        print_line(&format!(
            "Give the platform this secret; it is not shown again: {}",
            new.secret
        ))?;
    }
    Ok(())
}

pub(super) async fn create(arguments: CreateArguments) -> Result<u8, Failure> {
    let common = arguments.because.common.clone();
    let ask = proto::CreateEndpointRequest {
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
        actor: arguments.because.actor,
        reason: arguments.because.reason,
    };
    let answer = webhooks(&common)
        .await?
        .create_endpoint(request(&common, ask))
        .await?
        .into_inner();
    let endpoint = answer.endpoint.context("the service sent no endpoint")?;
    if common.json {
        let made = json::made(&endpoint, answer.key.as_ref());
        print_line(&made.to_string())?;
        return Ok(exit::FINE);
    }
    changed(Some(endpoint), &common)?;
    match &answer.key {
        Some(key) => print_key(key)?,
        None => print_line(
            "It was there already; its secret was shown then. `echeck webhooks rotate` makes another.",
        )?,
    }
    Ok(exit::FINE)
}

pub(super) async fn update(arguments: UpdateArguments) -> Result<u8, Failure> {
    let common = arguments.because.common.clone();
    let types = (arguments.all_types || !arguments.types.is_empty()).then_some(arguments.types);
    let ask = proto::UpdateEndpointRequest {
        endpoint_id: arguments.endpoint_id,
        version: 0,
        url: arguments.url,
        description: arguments.description,
        owner_email: arguments.owner,
        wanted: types.map(|event_types| proto::WebhookEventTypes { event_types }),
        merchant: arguments.merchant,
        ordered: arguments.ordered,
        actor: arguments.because.actor,
        reason: arguments.because.reason,
    };
    let mut client = webhooks(&common).await?;
    let answer = client.update_endpoint(request(&common, ask)).await?;
    changed(answer.into_inner().endpoint, &common)
}

pub(super) async fn rotate(
    endpoint_id: String,
    key: Key,
    overlap_s: Option<u32>,
    because: Because,
) -> Result<u8, Failure> {
    let common = because.common;
    let ask = proto::RotateSecretRequest {
        endpoint_id,
        kind: proto::WebhookKeyKind::from(key).into(),
        overlap_s,
        actor: because.actor,
        reason: because.reason,
    };
    let answer = webhooks(&common)
        .await?
        .rotate_secret(request(&common, ask))
        .await?
        .into_inner();
    let new = answer.key.context("the service sent no key")?;
    if common.json {
        let shown = json::rotated(&new, answer.old_retires_at.as_ref());
        print_line(&shown.to_string())?;
        return Ok(exit::FINE);
    }
    print_key(&new)?;
    if answer.old_retires_at.is_some() {
        let until = super::super::json::moment(answer.old_retires_at.as_ref());
        print_line(&format!("The key before signs along until {until}."))?;
    }
    Ok(exit::FINE)
}

pub(super) async fn disable(endpoint_id: String, because: Because) -> Result<u8, Failure> {
    let common = because.common;
    let ask = proto::DisableEndpointRequest {
        endpoint_id,
        actor: because.actor,
        reason: because.reason,
    };
    let mut client = webhooks(&common).await?;
    let answer = client.disable_endpoint(request(&common, ask)).await?;
    changed(answer.into_inner().endpoint, &common)
}

pub(super) async fn enable(endpoint_id: String, because: Because) -> Result<u8, Failure> {
    let common = because.common;
    let ask = proto::EnableEndpointRequest {
        endpoint_id,
        actor: because.actor,
        reason: because.reason,
    };
    let mut client = webhooks(&common).await?;
    let answer = client.enable_endpoint(request(&common, ask)).await?;
    changed(answer.into_inner().endpoint, &common)
}
