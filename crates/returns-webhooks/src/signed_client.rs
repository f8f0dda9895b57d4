//! Signing a message and posting it.

use chrono::{DateTime, SecondsFormat, Utc};
use echeck_service::clock::SharedClock;
use returns_model::endpoint::{Endpoint, SecretRecord};
use serde_json::json;

use super::client::{Posted, Signed, WebhookClient};
use super::guard::Guard;
use super::secret::{KeyEncryptor, KeyError, SigningKey, signatures};

/// Signs and posts messages.
#[derive(Clone)]
pub struct SignedClient {
    client: WebhookClient,
    encryptor: KeyEncryptor,
    clock: SharedClock,
}

impl SignedClient {
    /// A client with a client, and with what opens keys.
    pub fn new(client: WebhookClient, encryptor: KeyEncryptor, clock: SharedClock) -> Self {
        Self {
            client,
            encryptor,
            clock,
        }
    }

    /// What may be posted to.
    pub fn guard(&self) -> Guard {
        self.client.guard()
    }

    /// What seals new keys.
    pub fn encryptor(&self) -> &KeyEncryptor {
        &self.encryptor
    }

    /// The keys of these rows, in their order.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn keys(&self, secrets: &[SecretRecord]) -> Result<Vec<SigningKey>, KeyError> {
        secrets
            .iter()
            .map(|secret| self.encryptor.open(secret))
            .collect()
    }

    /// Posts a message with this moment's time and with a signature by each key.
    pub async fn post(
        &self,
        endpoint: &Endpoint,
        keys: &[SigningKey],
        message_id: &str,
        body: String,
    ) -> Posted {
        let timestamp_s = self.clock.now().timestamp();
        let message = Signed {
            url: &endpoint.settings.url,
            message_id,
            timestamp_s,
            signatures: signatures(keys, message_id, timestamp_s, &body),
            body,
        };
        self.client.post(message).await
    }
}

/// The body of a message that only tries whether messages arrive.
pub fn test_body(endpoint: &Endpoint, at: DateTime<Utc>) -> String {
    json!({
        "event_type": "test",
        "data": {
            "endpoint_id": endpoint.endpoint_id,
            "sent_at": at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "message": "This is a test. Nothing has happened to any payment.",
        },
    })
    .to_string()
}
