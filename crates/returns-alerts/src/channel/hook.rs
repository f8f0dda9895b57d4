//! A web server that is sent JSON. Its address is a secret: anybody who knows Slack's may post.

use std::time::Duration;

use echeck_service::clock::ToldTime;
use echeck_service::innermost;
use echeck_service::outbound::{CaError, Scrub, client_builder, is_this_machine, read_start};
use reqwest::header::{AUTHORIZATION, DATE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::NotDelivered;

/// The longest word that is taken from an answer, such as Slack's `no_service`.
const LONGEST_WORD: usize = 40;

/// How much of an answer is read at most, in bytes, and for how long: its status has said
/// everything by then.
const MOST_READ: usize = 4 << 10;
const BODY_PATIENCE: Duration = Duration::from_secs(1);

/// The longest pause, in seconds, when a server says that it was asked too fast.
const LONGEST_PAUSE_S: u64 = 2;

/// A web server.
pub struct Hook {
    client: Client,
    url: Url,
    authorization: Option<HeaderValue>,
    /// Host and port, for people.
    host: String,
    scrub: Scrub,
    /// The server's time.
    told: ToldTime,
}

/// Why a hook cannot be used. Never quotes the address.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("is not a valid address of a web server, such as https://host/path")]
    NoUrl,
    #[error("would send a secret in clear: use https (http is allowed to this machine itself)")]
    InClear,
    #[error("cannot be sent as a header: it has characters that a header cannot have")]
    NoHeader,
    #[error("must name a file with a certificate in PEM: {0}")]
    Ca(#[from] CaError),
    #[error("cannot be used for HTTPS: {0}")]
    Client(String),
}

impl Hook {
    /// A hook at `url`.
    ///
    /// # Errors
    /// When the address, the header or the certificate is not valid.
    pub fn new(
        url: &SecretString,
        authorization: Option<&SecretString>,
        ca_pem: Option<&[u8]>,
        connect_timeout: Duration,
    ) -> Result<Self, HookError> {
        let parsed = Url::parse(url.expose_secret()).map_err(|_| HookError::NoUrl)?;
        let host = parsed.host_str().ok_or(HookError::NoUrl)?;
        match parsed.scheme() {
            "https" => {}
            "http" if is_this_machine(host) => {}
            "http" => return Err(HookError::InClear),
            _ => return Err(HookError::NoUrl),
        }
        let host = match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let authorization = authorization
            .map(|secret| {
                let mut value = HeaderValue::from_str(secret.expose_secret())
                    .map_err(|_| HookError::NoHeader)?;
                value.set_sensitive(true);
                Ok::<_, HookError>(value)
            })
            .transpose()?;
        Ok(Self {
            client: client_builder(ca_pem, connect_timeout)?
                .build()
                .map_err(|error| HookError::Client(error.without_url().to_string()))?,
            url: parsed,
            scrub: Scrub::new(
                [Some(url), authorization_secret(&authorization).as_ref()]
                    .into_iter()
                    .flatten(),
            ),
            authorization,
            host,
            told: ToldTime::default(),
        })
    }

    /// The server's time, as its answers tell it.
    pub fn told(&self) -> ToldTime {
        self.told.clone()
    }

    /// The host, which may be shown: the rest of the address may be a secret.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Posts JSON.
    pub async fn post(&self, body: &Value) -> Result<(), NotDelivered> {
        let mut request = self.client.post(self.url.clone()).json(body);
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value.clone());
        }
        self.send(request).await
    }

    /// Asks for the page, as some monitors want their heartbeats.
    pub async fn get(&self) -> Result<(), NotDelivered> {
        self.send(self.client.get(self.url.clone())).await
    }

    /// Sends a request, and once more when it came too fast: a burst of incidents is not a
    /// failure of the channel (Slack takes about one message a second).
    async fn send(&self, request: RequestBuilder) -> Result<(), NotDelivered> {
        let again = request.try_clone();
        let mut answer = self.answer(request).await?;
        if let (StatusCode::TOO_MANY_REQUESTS, Some(again)) = (answer.status(), again) {
            tokio::time::sleep(pause(&answer)).await;
            answer = self.answer(again).await?;
        }
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        // A reason of one word is worth showing. Longer answers may hold anything.
        let word = read_start(answer, MOST_READ, BODY_PATIENCE).await;
        let word = match self.scrub.clean(word.trim()) {
            word if is_word(&word) => format!(" ({word})"),
            _ => String::new(),
        };
        Err(NotDelivered(format!(
            "{} answered HTTP {}{word}",
            self.host,
            status.as_u16()
        )))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, NotDelivered> {
        let answer = request.send().await;
        let answer = answer.map_err(|error| NotDelivered::because(self.explain(error)))?;
        let date = answer
            .headers()
            .get(DATE)
            .and_then(|date| date.to_str().ok());
        if let Some(date) = date {
            self.told.note_http_date(date);
        }
        Ok(answer)
    }

    fn explain(&self, error: reqwest::Error) -> String {
        let error = error.without_url();
        let why = if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else {
            innermost(&error).to_string()
        };
        self.scrub.clean(&format!("{}: {why}", self.host))
    }
}

/// How long to pause for a server that was asked too fast, as far as an alert can wait.
fn pause(answer: &Response) -> Duration {
    let wanted = answer.headers().get(RETRY_AFTER);
    let seconds = wanted.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).clamp(1, LONGEST_PAUSE_S))
}

fn authorization_secret(value: &Option<HeaderValue>) -> Option<SecretString> {
    let text = value.as_ref()?.to_str().ok()?;
    // Without the scheme, such as Bearer, which is no secret.
    let secret = text.rsplit(' ').next().unwrap_or(text);
    Some(SecretString::from(secret))
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_WORD
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(url: &str) -> Result<Hook, HookError> {
        Hook::new(&SecretString::from(url), None, None, Duration::from_secs(1))
    }

    #[test]
    fn a_secret_is_sent_in_clear_only_to_this_machine() {
        assert!(hook("https://hooks.example/x").is_ok());
        assert!(hook("http://127.0.0.1:9/x").is_ok());
        assert!(hook("http://[::1]:9/x").is_ok());
        assert!(hook("http://localhost/x").is_ok());
        assert!(matches!(
            hook("http://hooks.example/x"),
            Err(HookError::InClear)
        ));
        for bad in ["", "hooks", "file:///etc/passwd", "https://", "mailto:a@b"] {
            assert!(hook(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_end_is_cut_off() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            // An answer before the question is refused.
            let _question = socket.read(&mut [0; 1024]).await.unwrap();
            let head = b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n";
            socket.write_all(head).await.unwrap();
            let chunk = [b"10000\r\n".to_vec(), vec![b'a'; 1 << 16], b"\r\n".to_vec()].concat();
            let mut sent = 0;
            while socket.write_all(&chunk).await.is_ok() {
                sent += chunk.len();
            }
            sent
        });
        let hook = hook(&format!("http://{address}/")).unwrap();
        let refused = hook.post(&Value::Null).await.unwrap_err();
        assert!(refused.0.ends_with("answered HTTP 500"), "{}", refused.0);
        let sent = server.await.unwrap();
        // What the two sockets hold.
        assert!(sent < 32 << 20, "{sent} bytes");
    }

    #[test]
    fn only_a_host_is_shown_of_an_address() {
        let hook = hook("https://user:CANARY@hooks.example:8443/services/CANARY?x=CANARY");
        assert_eq!(hook.unwrap().host(), "hooks.example:8443");
    }
}
