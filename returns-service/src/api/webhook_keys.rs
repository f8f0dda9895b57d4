//! The keys that sign an endpoint's messages.

use chrono::TimeDelta;
use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::access::Caller;
use returns_model::endpoint::{SecretKind, SecretRecord};
use returns_webhooks::SigningKey;
use ring::rand::SystemRandom;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::convert_webhook as convert;
use super::errors::{self, ApiError};
use super::operator::Operator;
use super::webhook_endpoints::log_change;
use super::webhooks::WebhookApi;

/// How long the previous key also signs after a rotation, in seconds. The default.
const OVERLAP_S: u32 = 24 * 3600;
/// The maximum.
const LONGEST_OVERLAP_S: u32 = 30 * OVERLAP_S;

impl WebhookApi {
    /// Draws a key; its record holds it encrypted.
    pub(super) fn new_key(
        &self,
        endpoint_id: &str,
        kind: SecretKind,
    ) -> Result<(SecretRecord, SigningKey), ApiError> {
        let secret_id = format!("whs_{}", Uuid::new_v4().simple());
        let key = SigningKey::draw(kind, &SystemRandom::new())?;
        let secret = SecretRecord {
            sealed: self.client.encryptor().seal(&secret_id, &key)?,
            secret_id,
            endpoint_id: endpoint_id.to_owned(),
            kind,
            public_key: key.public_key(),
            created_at: self.now(),
            retires_at: None,
        };
        Ok((secret, key))
    }

    pub(super) async fn rotate_secret(
        &self,
        caller: &Caller,
        request: proto::RotateSecretRequest,
    ) -> Result<proto::RotateSecretResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let overlap_s = request.overlap_s.unwrap_or(OVERLAP_S);
        if overlap_s > LONGEST_OVERLAP_S {
            let what = format!("must be at most {LONGEST_OVERLAP_S} (30 days)");
            return Err(errors::invalid("overlap_s", what));
        }
        let seen = self.endpoint(&request.endpoint_id).await?;
        let id = &seen.endpoint_id;
        let kind = convert::key_kind("kind", request.kind)?;
        let now = self.now();
        let active = self.store.active_secrets(id, now).await?;
        let old = active.iter().find(|one| one.kind == kind);
        let old_retires_at = now + TimeDelta::seconds(overlap_s.into());
        let (secret, key) = self.new_key(id, kind)?;
        let before = old.map_or("", |old| old.secret_id.as_str());
        let audit = self.audit(operator, "rotate_secret", id, (before, &secret.secret_id));
        let added = self
            .store
            .add_secret(&secret, seen.version, old_retires_at, &audit)
            .await?;
        if !added {
            return Err(errors::changed_meanwhile("endpoint"));
        }
        log_change(operator, "rotate_secret", &seen);
        Ok(proto::RotateSecretResponse {
            key: Some(new_key(&secret, &key)),
            previous_key_retires_at: old.map(|_| timestamp(old_retires_at)),
        })
    }
}

/// A new key with its secret, which is shown this once.
pub(super) fn new_key(secret: &SecretRecord, key: &SigningKey) -> proto::NewWebhookKey {
    let text = key.for_receiver();
    proto::NewWebhookKey {
        key: Some(convert::key(secret)),
        secret: text.map_or_else(String::new, |text| text.expose_secret().to_owned()),
    }
}
