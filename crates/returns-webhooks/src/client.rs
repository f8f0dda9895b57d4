//! Posting one message to one endpoint, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};
use returns_alerts::{Scrub, install_tls_provider};
use secrecy::SecretString;
use tokio::time::Instant;

use super::guard::{Guard, GuardedResolver, Lookup, Refused};
use super::schedule::retry_after;

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
        install_tls_provider();
        let guard = settings.guard;
        let mut builder = Client::builder()
            // A redirect would lead around the guard, and the message to somebody else.
            .redirect(Policy::none())
            // So would a proxy of the environment.
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver { guard, lookup }))
            // The frames of HTTP/2 are logged with their paths at the level trace.
            .http1_only()
            .https_only(!guard.allow_http)
            .referer(false)
            .connect_timeout(settings.timeout)
            .timeout(settings.timeout)
            .pool_max_idle_per_host(4)
            .user_agent(concat!("echeck-returns/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &settings.ca_pem {
            let certificates = Certificate::from_pem_bundle(pem);
            builder = builder.tls_certs_merge(certificates.map_err(|error| error.to_string())?);
        }
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
        let said = read_start(answer).await;
        let error = (!status.is_success()).then(|| {
            let note = if status.is_redirection() {
                " (redirects are not followed)"
            } else {
                ""
            };
            let said = scrub(url).clean_to(&said, SAID);
            let colon = if said.is_empty() { "" } else { ": " };
            format!("HTTP {code}{note}{colon}{said}")
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
        // The innermost cause says what happened; those around it only where.
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        match innermost.downcast_ref::<Refused>() {
            Some(refused) => format!("nothing was sent: the address {refused}"),
            None => scrub(url).clean_to(&innermost.to_string(), SAID),
        }
    }
}

/// Takes out what of an address may be a password, should the endpoint repeat it.
fn scrub(url: &str) -> Scrub {
    Scrub::new([&SecretString::from(url)])
}

/// The first bytes of an answer's body. Reading them to the end lets the connection be used
/// again; what is longer or slower is cut off with its connection.
async fn read_start(mut answer: Response) -> String {
    let mut start = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            let room = MOST_READ.saturating_sub(start.len());
            start.extend(chunk.iter().take(room));
            if chunk.len() > room {
                break;
            }
        }
    };
    // What came until then is enough.
    let _ = tokio::time::timeout(BODY_PATIENCE, reading).await;
    String::from_utf8_lossy(&start).into_owned()
}
