//! E-mail over SMTP. The subject is the notice's first line; the mails of one incident are one
//! thread, and one that is sent twice has the same id.

use std::time::{Duration, SystemTime};

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as Security, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use returns_model::incident::clean;
use secrecy::{ExposeSecret as _, SecretString};

use super::NotDelivered;
use super::scrub::Scrub;
use crate::message::{AlertMessage, Message as Said};
use crate::owner_mail::OwnerMail;

/// The longest subject; mail programs show far less.
const SUBJECT: usize = 250;

/// How the connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// It begins in clear and must change to TLS before anything is said.
    Starttls,
    /// TLS from the start.
    Implicit,
    /// Not at all.
    None,
}

/// What an e-mail channel is told.
pub struct EmailSettings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Certificates that are trusted besides those of the system.
    pub ca_pem: Option<Vec<u8>>,
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
    pub timeout: Duration,
}

/// An e-mail channel.
pub struct EmailChannel {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// Host and port, for people.
    target: String,
    from: Mailbox,
    to: Vec<Mailbox>,
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

impl EmailChannel {
    /// A channel.
    ///
    /// # Errors
    /// When the certificates are no good, in words.
    pub fn new(settings: EmailSettings) -> Result<Self, String> {
        let security = match settings.tls {
            Tls::None => Security::None,
            Tls::Starttls => Security::Required(tls(&settings)?),
            Tls::Implicit => Security::Wrapper(tls(&settings)?),
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
            target: format!("{}:{}", settings.host, settings.port),
            from: settings.from,
            to: settings.to,
            scrub: Scrub::new(&settings.password),
        })
    }

    /// The mail server.
    pub fn host(&self) -> &str {
        &self.target
    }

    /// Sends the notice to everybody at once.
    pub(super) async fn deliver(&self, notice: &AlertMessage) -> Result<(), NotDelivered> {
        let message = self
            .message(notice)
            .map_err(|error| NotDelivered(format!("the mail cannot be written: {error}")))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(NotDelivered(self.explain(&error))),
        }
    }

    /// Writes to somebody outside.
    pub async fn write(&self, letter: OwnerMail) -> Result<(), NotDelivered> {
        let unwritten =
            |error: String| NotDelivered(format!("the mail cannot be written: {error}"));
        let to = letter.to.parse::<Mailbox>();
        let to = to.map_err(|_| unwritten("no address".to_owned()))?;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .subject(clean::line(&letter.subject, SUBJECT))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .map_err(|error| unwritten(error.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(NotDelivered(self.explain(&error))),
        }
    }

    fn explain(&self, error: &lettre::transport::smtp::Error) -> String {
        let target = &self.target;
        let why = if error.is_timeout() {
            "it did not answer in time".to_owned()
        } else {
            echeck_service::ErrorChain(error).to_string()
        };
        self.scrub.clean(&format!("{target}: {why}"))
    }

    fn message(&self, notice: &AlertMessage) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}@{domain}>", notice.id)))
            .date(SystemTime::from(notice.at))
            .subject(clean::line(&notice.first_line(), SUBJECT))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        for mailbox in &self.to {
            message = message.to(mailbox.clone());
        }
        if let Said::Incident { incident, .. } = &notice.message {
            let thread = format!("<{}@{domain}>", incident.incident_id);
            message = message.in_reply_to(thread.clone()).references(thread);
        }
        message.body(notice.text())
    }
}

fn tls(settings: &EmailSettings) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.ca_pem {
        let certificate = Certificate::from_pem(pem).map_err(|error| error.to_string())?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| error.to_string())
}
