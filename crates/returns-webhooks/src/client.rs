//! Signing one message, posting it to one endpoint, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use echeck_service::clock::SharedClock;
use echeck_service::innermost;
use echeck_service::outbound::{Scrub, client_builder, read_start};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response};
use returns_model::endpoint::{Endpoint, SecretRecord};
use returns_model::incident::clean;
use secrecy::SecretString;
use serde_json::json;
use tokio::time::Instant;

use super::guard::{Guard, GuardedResolver, Lookup, Refused};
use super::schedule::retry_after;
use super::secret::{KeyEncryptor, KeyError, SigningKey, signatures};

/// How much of an answer is read at most.
const MOST_READ: usize = 1024;
/// How long an answer's body is waited for: its status has said everything by then.
const BODY_PATIENCE: Duration = Duration::from_secs(1);
/// How much of what an endpoint says is recorded, in characters.
const SAID: usize = 120;

/// How endpoints are reached.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    pub guard: Guard,
    /// For the whole exchange.
    pub timeout: Duration,
    /// Certificates in PEM that are trusted besides the system's.
    pub ca_pem: Option<Vec<u8>>,
}

/// A message, signed.
pub struct Signed<'a> {
    pub url: &'a str,
    pub message_id: &'a str,
    /// Seconds since 1970, of this very attempt.
    pub timestamp_s: i64,
    pub signatures: String,
    pub body: String,
}

/// What came of posting a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Why the message does not count as taken; `None` when it does.
    pub error: Option<String>,
    /// When the endpoint wants to be asked again.
    pub retry_after: Option<DateTime<Utc>>,
    /// How long it took, connection included.
    pub took: Duration,
}

/// Posts messages.
#[derive(Clone)]
pub struct WebhookClient {
    client: Client,
    guard: Guard,
    timeout: Duration,
    clock: SharedClock,
}

impl WebhookClient {
    /// A client that resolves names by `lookup`.
    ///
    /// # Errors
    /// When a certificate is not valid, in words.
    pub fn new(
        settings: &ClientSettings,
        lookup: Arc<dyn Lookup>,
        clock: SharedClock,
    ) -> Result<Self, String> {
        let guard = settings.guard;
        let builder = client_builder(settings.ca_pem.as_deref(), settings.timeout)
            .map_err(|error| error.to_string())?
            // A proxy of the environment would lead around the guard, as a redirect would.
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { guard, lookup }))
            .https_only(!guard.allow_http)
            .referer(false)
            .timeout(settings.timeout)
            .pool_max_idle_per_host(4);
        let client = builder.build();
        Ok(Self {
            client: client.map_err(|error| error.without_url().to_string())?,
            guard,
            timeout: settings.timeout,
            clock,
        })
    }

    /// What may be posted to.
    pub fn guard(&self) -> Guard {
        self.guard
    }

    /// Posts a message. Never waits longer than the time-out, and never says more than what
    /// may be recorded: no path, and of an answer only its first words.
    pub async fn post(&self, message: Signed<'_>) -> Posted {
        let started = Instant::now();
        let url = message.url.to_owned();
        let posted = match self.exchange(message).await {
            Ok(answer) => self.judge(answer, &url).await,
            Err(why) => Posted {
                error: Some(why),
                ..Posted::default()
            },
        };
        Posted {
            took: started.elapsed(),
            ..posted
        }
    }

    async fn exchange(&self, message: Signed<'_>) -> Result<Response, String> {
        // A connector does not resolve an address that is written as one, so it is checked here,
        // at every send.
        let url = self.guard.check_url(message.url);
        let url = url.map_err(|refused| format!("nothing was sent: the address {refused}"))?;
        self.client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.message_id)
            .header("webhook-timestamp", message.timestamp_s)
            .header("webhook-signature", message.signatures)
            .body(message.body)
            .send()
            .await
            .map_err(|error| self.explain(error, message.url))
    }

    async fn judge(&self, answer: Response, url: &str) -> Posted {
        let (code, status) = (answer.status().as_u16(), answer.status());
        let header = answer.headers().get(RETRY_AFTER);
        let header = header.filter(|_| matches!(code, 429 | 502 | 503 | 504));
        let retry_after = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, self.clock.now()));
        let said = read_start(answer, MOST_READ, BODY_PATIENCE).await;
        let error = (!status.is_success()).then(|| {
            let note = if status.is_redirection() {
                " (redirects are not followed)"
            } else {
                ""
            };
            match scrubbed(&said, url) {
                said if said.is_empty() => format!("HTTP {code}{note}"),
                said => format!("HTTP {code}{note}: {said}"),
            }
        });
        Posted {
            status: Some(code),
            error,
            retry_after,
            took: Duration::ZERO,
        }
    }

    fn explain(&self, error: reqwest::Error, url: &str) -> String {
        let error = error.without_url();
        if error.is_timeout() {
            return format!("no answer within {} ms", self.timeout.as_millis());
        }
        let innermost = innermost(&error);
        match innermost.downcast_ref::<Refused>() {
            Some(refused) => format!("nothing was sent: the address {refused}"),
            None => scrubbed(&innermost.to_string(), url),
        }
    }
}

/// What an endpoint says, without what may be a password in its address, should it repeat that.
fn scrubbed(said: &str, url: &str) -> String {
    let scrub = Scrub::new([&SecretString::from(url)]);
    clean::line(&scrub.clean(said), SAID)
}

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
