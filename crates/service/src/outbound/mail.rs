//! Mail over SMTP.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use super::Scrub;
use crate::ErrorChain;

/// How the connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// It begins in clear and must change to TLS before anything is said.
    Starttls,
    /// TLS from the start.
    Implicit,
    /// Not at all.
    None,
}

/// How a mail server is reached.
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: SmtpSecurity,
    /// Certificates that are trusted besides those of the system.
    pub ca_pem: Option<Vec<u8>>,
    /// Who logs in, with the password.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// Who the mails are from.
    pub from: Mailbox,
    /// How long the server may take for an answer.
    pub timeout: Duration,
}

/// Sends mails by one server, from one address.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    server: String,
    from: Mailbox,
    scrub: Scrub,
}

/// Says that no program should answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mailer {
    /// A mailer.
    ///
    /// # Errors
    /// When the certificates cannot be used, in words.
    pub fn new(settings: SmtpSettings) -> Result<Self, String> {
        let security = match settings.security {
            SmtpSecurity::None => Tls::None,
            SmtpSecurity::Starttls => Tls::Required(tls(&settings)?),
            SmtpSecurity::Implicit => Tls::Wrapper(tls(&settings)?),
        };
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
                .port(settings.port)
                .tls(security)
                .timeout(Some(settings.timeout));
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            let password = password.expose_secret().to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(Self {
            transport: transport.build(),
            server: format!("{}:{}", settings.host, settings.port),
            from: settings.from,
            scrub: Scrub::new(&settings.password),
        })
    }

    /// The server's host and port.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// An id in the form of mails, in the domain of the sender.
    pub fn message_id(&self, id: &str) -> String {
        format!("<{id}@{}>", self.from.email.domain())
    }

    /// A mail in plain text without its recipients. Sent twice, it has the same id.
    pub fn compose(&self, id: &str, subject: String) -> MessageBuilder {
        Message::builder()
            .from(self.from.clone())
            .message_id(Some(self.message_id(id)))
            .subject(subject)
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// Says why the mail was not written or not sent, without the password.
    pub async fn send(&self, mail: MessageBuilder, text: String) -> Result<(), String> {
        let mail = mail.body(text);
        let mail = mail.map_err(|error| format!("the mail cannot be written: {error}"))?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &lettre::transport::smtp::Error) -> String {
        let why = if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else {
            ErrorChain(error).to_string()
        };
        self.scrub.clean(&format!("{}: {why}", self.server))
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.ca_pem {
        let certificate = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| error.to_string())
}
