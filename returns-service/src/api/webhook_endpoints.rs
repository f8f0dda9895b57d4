//! Endpoints: making, changing and listing them, and their keys.

use chrono::TimeDelta;
use echeck_proto::returns::v1 as proto;
use returns_feed::timestamp;
use returns_model::endpoint::{
    Endpoint, EndpointChange, EndpointFault, EndpointSettings, OwnerChange, SecretKind,
    SecretRecord, payload_version,
};
use returns_model::ids;
use returns_webhooks::SigningKey;
use ring::rand::SystemRandom;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::errors::{self, ApiError};
use super::jobs::{Who, who};
use super::webhooks::WebhookApi;
use super::{convert_webhook as convert, page};

/// How long a key signs along after a rotation, in seconds, unless asked.
const OVERLAP_S: u32 = 24 * 3600;
/// The longest that may be asked for.
const LONGEST_OVERLAP_S: u32 = 30 * OVERLAP_S;
/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 200;

impl WebhookApi {
    pub(super) async fn create(
        &self,
        request: proto::CreateEndpointRequest,
    ) -> Result<proto::CreateEndpointResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        if request.idempotency_key.len() > LONGEST_KEY {
            let what = format!("has more than {LONGEST_KEY} bytes");
            return Err(errors::invalid("idempotency_key", what));
        }
        let kind = convert::key_kind(request.key_kind());
        let style = convert::style(request.style())?;
        let payload_version =
            payload_version(style, &request.api_version).map_err(|fault| vec![fault])?;
        let endpoint_id = match request.idempotency_key.as_str() {
            "" => ids::endpoint_id(&Uuid::new_v4().to_string()),
            key => ids::endpoint_id(key),
        };
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
        let endpoint = Endpoint {
            endpoint_id,
            settings,
            disabled_why: None,
            failing_since: None,
            created_at: now,
            updated_at: now,
            version: 0,
            owner_notice: None,
        };
        let (secret, key) = self.new_key(&endpoint.endpoint_id, kind)?;
        let audit = self.audit(
            &who,
            "create_endpoint",
            &endpoint.endpoint_id,
            ("", &endpoint_text(&endpoint)),
        );
        let keys = std::slice::from_ref(&secret);
        let made = self.store.create_endpoint(&endpoint, keys, &audit).await;
        if made? {
            log_change(&who, "create_endpoint", &endpoint);
            self.notifier.messages_due();
            return Ok(proto::CreateEndpointResponse {
                endpoint: Some(convert::endpoint(&endpoint, keys)),
                key: Some(shown(&secret, &key)),
            });
        }
        let there = self.one(&endpoint.endpoint_id).await?;
        if there.settings != endpoint.settings {
            return Err(errors::already_exists(
                "IDEMPOTENCY_KEY_USED",
                format!(
                    "idempotency_key was used for endpoint {}, which has other settings",
                    there.endpoint_id
                ),
            ));
        }
        Ok(proto::CreateEndpointResponse {
            endpoint: Some(convert::endpoint(&there, &[])),
            key: None,
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

    fn new_key(
        &self,
        endpoint_id: &str,
        kind: SecretKind,
    ) -> Result<(SecretRecord, SigningKey), ApiError> {
        let secret_id = format!("whs_{}", Uuid::new_v4().simple());
        let key = SigningKey::draw(kind, &SystemRandom::new());
        let key = key?;
        let sealed = self.client.encryptor().seal(&secret_id, &key);
        let secret = SecretRecord {
            sealed: sealed?,
            secret_id,
            endpoint_id: endpoint_id.to_owned(),
            kind,
            public_key: key.public_key(),
            created_at: self.now(),
            retires_at: None,
        };
        Ok((secret, key))
    }

    pub(super) async fn update(
        &self,
        request: proto::UpdateEndpointRequest,
    ) -> Result<proto::UpdateEndpointResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let seen = self.one(&request.endpoint_id).await?;
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
        let endpoint = self.change(&who, "update_endpoint", &seen, to).await?;
        Ok(proto::UpdateEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &[])),
        })
    }

    pub(super) async fn disable(
        &self,
        request: proto::DisableEndpointRequest,
    ) -> Result<proto::DisableEndpointResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let seen = self.one(&request.endpoint_id).await?;
        let why = format!("{}: {}", who.actor, who.reason);
        let to = Endpoint {
            disabled_why: seen.disabled_why.clone().or(Some(why)),
            ..seen.clone()
        };
        let endpoint = self.change(&who, "disable_endpoint", &seen, to).await?;
        Ok(proto::DisableEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &[])),
        })
    }

    pub(super) async fn enable(
        &self,
        request: proto::EnableEndpointRequest,
    ) -> Result<proto::EnableEndpointResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let seen = self.one(&request.endpoint_id).await?;
        let to = Endpoint {
            disabled_why: None,
            ..seen.clone()
        };
        let endpoint = self.change(&who, "enable_endpoint", &seen, to).await?;
        self.clear_if_well(&endpoint.endpoint_id).await?;
        Ok(proto::EnableEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &[])),
        })
    }

    /// Notifier an endpoint from what was seen; saying the same again changes nothing.
    async fn change(
        &self,
        who: &Who<'_>,
        action: &str,
        seen: &Endpoint,
        to: Endpoint,
    ) -> Result<Endpoint, ApiError> {
        if to == *seen {
            return Ok(to);
        }
        let id = &seen.endpoint_id;
        let to_is_enabled = to.is_enabled();
        let enabled = !seen.is_enabled() && to_is_enabled;
        let moved = seen.settings.url != to.settings.url;
        let change = EndpointChange {
            endpoint: Endpoint {
                updated_at: self.now(),
                ..to
            },
            forget_failures: enabled || moved,
            owner: if seen.is_enabled() == to_is_enabled {
                OwnerChange::Keep
            } else {
                OwnerChange::Forget
            },
            audit: self.audit(who, action, id, (&endpoint_text(seen), "")),
        };
        let change = EndpointChange {
            audit: returns_model::job::AuditRecord {
                after: endpoint_text(&change.endpoint),
                ..change.audit
            },
            ..change
        };
        let done = self.store.change_endpoint(&change).await;
        if !done? {
            return Err(errors::changed_meanwhile("endpoint"));
        }
        log_change(who, action, &change.endpoint);
        self.notifier.messages_due();
        self.one(id).await
    }

    pub(super) async fn rotate(
        &self,
        request: proto::RotateSecretRequest,
    ) -> Result<proto::RotateSecretResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        let overlap_s = request.overlap_s.unwrap_or(OVERLAP_S);
        if overlap_s > LONGEST_OVERLAP_S {
            let what = format!("must be at most {LONGEST_OVERLAP_S} (30 days)");
            return Err(errors::invalid("overlap_s", what));
        }
        let seen = self.one(&request.endpoint_id).await?;
        let id = &seen.endpoint_id;
        let kind = convert::key_kind(request.kind());
        let now = self.now();
        let active = self.store.active_secrets(id, now).await;
        let active = active?;
        let old = active.iter().find(|one| one.kind == kind);
        let old_retires_at = now + TimeDelta::seconds(overlap_s.into());
        let (secret, key) = self.new_key(id, kind)?;
        let before = old.map_or("", |old| old.secret_id.as_str());
        let audit = self.audit(&who, "rotate_secret", id, (before, &secret.secret_id));
        let done = self
            .store
            .add_secret(&secret, seen.version, old_retires_at, &audit)
            .await;
        if !done? {
            return Err(errors::changed_meanwhile("endpoint"));
        }
        log_change(&who, "rotate_secret", &seen);
        Ok(proto::RotateSecretResponse {
            key: Some(shown(&secret, &key)),
            previous_key_retires_at: old.map(|_| timestamp(old_retires_at)),
        })
    }

    pub(super) async fn page_of_endpoints(
        &self,
        request: proto::ListEndpointsRequest,
    ) -> Result<proto::ListEndpointsResponse, ApiError> {
        let size = page::size(request.page_size);
        let after = page::time_and_id(&request.page_token)?;
        let found = self.store.endpoints(after, size).await;
        let found = found?;
        let next_page_token = match found.last() {
            Some(last) if found.len() == size as usize => {
                page::token_of(last.created_at, &last.endpoint_id)
            }
            Some(_) | None => String::new(),
        };
        Ok(proto::ListEndpointsResponse {
            endpoints: found
                .iter()
                .map(|one| convert::endpoint(one, &[]))
                .collect(),
            next_page_token,
        })
    }

    pub(super) async fn endpoint_with_keys(
        &self,
        endpoint_id: &str,
    ) -> Result<proto::GetEndpointResponse, ApiError> {
        let endpoint = self.one(endpoint_id).await?;
        let keys = self.store.active_secrets(endpoint_id, self.now()).await;
        let keys = keys?;
        Ok(proto::GetEndpointResponse {
            endpoint: Some(convert::endpoint(&endpoint, &keys)),
        })
    }
}

/// An endpoint in one line for the audit, without the path of its address.
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
        // Tells a new path from the one before.
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

fn log_change(who: &Who<'_>, action: &str, endpoint: &Endpoint) {
    tracing::info!(
        endpoint_id = endpoint.endpoint_id,
        host = endpoint.host(),
        action,
        actor = who.actor,
        reason = who.reason,
        "an operator changed a webhook endpoint"
    );
}

fn shown(secret: &SecretRecord, key: &SigningKey) -> proto::NewWebhookKey {
    let text = key.for_receiver();
    proto::NewWebhookKey {
        key: Some(convert::key(secret)),
        secret: text.map_or_else(String::new, |text| text.expose_secret().to_owned()),
    }
}
