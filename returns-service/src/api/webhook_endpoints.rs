//! Endpoints: creating, changing and listing them.

use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use returns_model::endpoint::{
    Endpoint, EndpointChange, EndpointFault, EndpointSettings, OwnerChange, payload_version,
};
use returns_model::ids;
use uuid::Uuid;

use super::errors::{self, ApiError};
use super::operator::Operator;
use super::webhook_keys::new_key;
use super::webhooks::WebhookApi;
use super::{answer, convert_webhook as convert, page};

impl WebhookApi {
    pub(super) async fn create_endpoint(
        &self,
        caller: &Caller,
        request: proto::CreateEndpointRequest,
    ) -> Result<proto::CreateEndpointResponse, ApiError> {
        let (request_id, reason) = (request.request_id.clone(), request.reason.clone());
        let operator = Operator::with_reason(caller, &request_id, &reason)?;
        let kind = convert::key_kind("key_kind", request.key_kind)?;
        let endpoint = self.requested(operator, request)?;
        let id = &endpoint.endpoint_id;
        let (secret, key) = self.new_key(id, kind)?;
        let text = endpoint_text(&endpoint);
        let audit = self.audit(operator, "create_endpoint", id, ("", &text));
        let keys = std::slice::from_ref(&secret);
        if self.store.create_endpoint(&endpoint, keys, &audit).await? {
            log_change(operator, "create_endpoint", &endpoint);
            self.notifier.messages_due();
            return Ok(proto::CreateEndpointResponse {
                endpoint: Some(convert::endpoint(&endpoint, keys)),
                key: Some(new_key(&secret, &key)),
            });
        }
        // Its id follows from the request's, so this very request has made it.
        let existing = self.endpoint(id).await?;
        Ok(proto::CreateEndpointResponse {
            endpoint: Some(convert::endpoint(&existing, &[])),
            key: None,
        })
    }

    /// The endpoint that a request describes.
    fn requested(
        &self,
        operator: Operator<'_>,
        request: proto::CreateEndpointRequest,
    ) -> Result<Endpoint, ApiError> {
        let style = convert::style(request.style)?;
        let payload_version =
            payload_version(style, &request.api_version).map_err(|fault| vec![fault])?;
        let settings = EndpointSettings {
            url: request.url,
            description: request.description,
            owner_email: request.owner_email,
            style,
            api_version: request.api_version,
            payload_version,
            event_types: request.event_types,
            merchant: request.merchant,
            ordered: request.ordered,
        };
        self.check(&settings)?;
        let now = self.now();
        Ok(Endpoint {
            endpoint_id: match request.request_id.as_str() {
                "" => ids::endpoint_id(&Uuid::new_v4().to_string()),
                // Every caller has ids of its own.
                id => ids::endpoint_id(&format!("{}\0{id}", operator.identity())),
            },
            settings,
            disabled_why: None,
            failing_since: None,
            created_at: now,
            updated_at: now,
            version: 0,
            owner_notice: None,
        })
    }

    /// Every field that is wrong.
    fn check(&self, settings: &EndpointSettings) -> Result<(), ApiError> {
        let mut faults = returns_webhooks::endpoint_faults(settings);
        if let Err(refused) = self.client.guard().check_url(&settings.url) {
            faults.push(EndpointFault {
                field: "url",
                what: refused.to_string(),
            });
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(faults.into())
    }

    pub(super) async fn update_endpoint(
        &self,
        caller: &Caller,
        request: proto::UpdateEndpointRequest,
    ) -> Result<proto::UpdateEndpointResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let seen = self.endpoint(&request.endpoint_id).await?;
        if request.version != 0 && request.version != seen.version {
            return Err(errors::changed_meanwhile("endpoint"));
        }
        let old = seen.settings.clone();
        let settings = EndpointSettings {
            url: request.url.unwrap_or(old.url),
            description: request.description.unwrap_or(old.description),
            owner_email: request.owner_email.unwrap_or(old.owner_email),
            event_types: request
                .event_types
                .map_or(old.event_types, |wanted| wanted.event_types),
            merchant: request.merchant.unwrap_or(old.merchant),
            ordered: request.ordered.unwrap_or(old.ordered),
            ..old
        };
        self.check(&settings)?;
        let to = Endpoint {
            settings,
            ..seen.clone()
        };
        let endpoint = self.change(operator, "update_endpoint", &seen, to).await?;
        Ok(proto::UpdateEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &[])),
        })
    }

    pub(super) async fn disable_endpoint(
        &self,
        caller: &Caller,
        request: proto::DisableEndpointRequest,
    ) -> Result<proto::DisableEndpointResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let seen = self.endpoint(&request.endpoint_id).await?;
        let why = format!("{}: {}", operator.identity(), operator.reason);
        let to = Endpoint {
            disabled_why: seen.disabled_why.clone().or(Some(why)),
            ..seen.clone()
        };
        let endpoint = self.change(operator, "disable_endpoint", &seen, to).await?;
        Ok(proto::DisableEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &[])),
        })
    }

    pub(super) async fn enable_endpoint(
        &self,
        caller: &Caller,
        request: proto::EnableEndpointRequest,
    ) -> Result<proto::EnableEndpointResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let seen = self.endpoint(&request.endpoint_id).await?;
        let to = Endpoint {
            disabled_why: None,
            ..seen.clone()
        };
        let endpoint = self.change(operator, "enable_endpoint", &seen, to).await?;
        self.clear_incident_if_recovered(&endpoint.endpoint_id)
            .await?;
        Ok(proto::EnableEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &[])),
        })
    }

    /// Changes an endpoint from what was seen; saying the same again changes nothing.
    async fn change(
        &self,
        operator: Operator<'_>,
        action: &str,
        seen: &Endpoint,
        to: Endpoint,
    ) -> Result<Endpoint, ApiError> {
        if to == *seen {
            return Ok(to);
        }
        let id = &seen.endpoint_id;
        let enabled_before = seen.is_enabled();
        let moved = seen.settings.url != to.settings.url;
        let audit_texts = (&*endpoint_text(seen), &*endpoint_text(&to));
        let change = EndpointChange {
            forget_failures: moved || (to.is_enabled() && !enabled_before),
            owner: if to.is_enabled() == enabled_before {
                OwnerChange::Keep
            } else {
                OwnerChange::Forget
            },
            audit: self.audit(operator, action, id, audit_texts),
            endpoint: Endpoint {
                updated_at: self.now(),
                ..to
            },
        };
        if !self.store.change_endpoint(&change).await? {
            return Err(errors::changed_meanwhile("endpoint"));
        }
        log_change(operator, action, &change.endpoint);
        self.notifier.messages_due();
        self.endpoint(id).await
    }

    pub(super) async fn list_endpoints(
        &self,
        request: proto::ListEndpointsRequest,
    ) -> Result<proto::ListEndpointsResponse, ApiError> {
        let size = page::size(request.page_size);
        let after = page::place(&request.page_token)?;
        let found = self.store.endpoints(after, size).await?;
        let place = |last: &Endpoint| (last.created_at, last.endpoint_id.clone());
        let end = page::next(&found, size, place);
        let (endpoints, next_page_token) =
            answer::page(found, end, place, |one| Some(convert::endpoint(&one, &[])));
        Ok(proto::ListEndpointsResponse {
            endpoints,
            next_page_token,
        })
    }

    pub(super) async fn get_endpoint(
        &self,
        request: proto::GetEndpointRequest,
    ) -> Result<proto::GetEndpointResponse, ApiError> {
        let endpoint = self.endpoint(&request.endpoint_id).await?;
        let id = &endpoint.endpoint_id;
        let keys = self.store.active_secrets(id, self.now()).await?;
        Ok(proto::GetEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &keys)),
        })
    }
}

/// An endpoint in one line for the audit log, without the path of its URL.
fn endpoint_text(endpoint: &Endpoint) -> String {
    let settings = &endpoint.settings;
    let state = match &endpoint.disabled_why {
        None => "enabled".to_owned(),
        Some(why) => format!("disabled ({why})"),
    };
    format!(
        "{state}, {host} ({digest}), {style} {version}, types {types:?}, merchant {merchant:?}, \
         owner {owner:?}, ordered {ordered}, {description:?}",
        host = endpoint.host(),
        // Distinguishes a new path from the one before.
        digest = ids::dedup_key(&settings.url),
        style = settings.style.as_str(),
        version = settings.api_version,
        types = settings.event_types,
        merchant = settings.merchant,
        owner = settings.owner_email,
        ordered = settings.ordered,
        description = settings.description,
    )
}

pub(super) fn log_change(operator: Operator<'_>, action: &str, endpoint: &Endpoint) {
    tracing::info!(
        endpoint_id = endpoint.endpoint_id,
        host = endpoint.host(),
        action,
        actor = operator.identity(),
        reason = operator.reason,
        "an operator changed a webhook endpoint"
    );
}
