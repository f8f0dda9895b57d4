//! Reaching the service, and saying in a sentence why a call failed.

use std::time::Duration;

use echeck_proto::returns::v1::incident_service_client::IncidentServiceClient;
use echeck_proto::returns::v1::operations_service_client::OperationsServiceClient;
use echeck_proto::returns::v1::returns_service_client::ReturnsServiceClient;
use echeck_proto::returns::v1::webhook_service_client::WebhookServiceClient;
use echeck_service::outbound::is_this_machine;
use echeck_service::privacy;
use echeck_service::tls::{ClientTls, ClientTlsFiles, Connection, explain};
use secrecy::ExposeSecret as _;
use tonic::codegen::http::Uri;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::profile::{Profiles, Reach};
use super::{Common, exit};
use crate::output::print_error;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// The largest page that the service gives.
const MAX_PAGE: u32 = 500;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service is unavailable.
    Unreachable {
        /// Its address.
        server: String,
        /// What the system said.
        why: String,
    },
    /// The service answered with an error.
    Status(Box<Status>),
    /// A fault on this side.
    Local(anyhow::Error),
    /// Somebody interrupted the command.
    Interrupted,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Local(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Local(error.into())
    }
}

impl Failure {
    /// The exit code for it.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::Local(_) => exit::FAILED,
            Self::Interrupted => exit::INTERRUPTED,
            Self::Status(status) => match status.code() {
                Code::NotFound => exit::NOT_FOUND,
                // The client's own timer says CANCELLED for the same thing.
                Code::DeadlineExceeded | Code::Cancelled => exit::DEADLINE,
                _ => exit::FAILED,
            },
        }
    }

    /// Says on standard error what happened.
    pub(super) fn print(&self) {
        match self {
            Self::Unreachable { server, why } => print_error(&format!(
                "no service is available at {server} ({why}); start `echeck up`, or name the \
                 service with --server"
            )),
            Self::Local(error) => print_error(&format!("{error:#}")),
            Self::Interrupted => print_error("interrupted"),
            Self::Status(status) => {
                let reason = status
                    .get_details_error_info()
                    .map(|info| format!(" [{}]", info.reason))
                    .unwrap_or_default();
                print_error(&format!("{}{reason}", status.message()));
            }
        }
    }
}

/// What goes with each call: its deadline, and the token, if there is one.
#[derive(Clone)]
pub(super) struct CallHeaders {
    deadline: Duration,
    token: Option<MetadataValue<Ascii>>,
}

impl Interceptor for CallHeaders {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.set_timeout(self.deadline);
        if let Some(token) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

type CallChannel = InterceptedService<Channel, CallHeaders>;

/// Where a service is that nobody has named.
const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";

/// The service, as one command calls it.
pub(super) struct Client {
    channel: Channel,
    connection: Connection,
    headers: CallHeaders,
    /// Whether to answer as JSON.
    pub(super) json: bool,
}

impl Client {
    pub(super) async fn connect(common: &Common) -> Result<Self, Failure> {
        let reach = reach(common)?;
        let server = reach
            .server
            .clone()
            .unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let unreachable = |why: String| Failure::Unreachable {
            server: server.clone(),
            why,
        };
        let tls = tls(&reach)?;
        let token = token(&reach, &server)?;
        let connection = Connection::new(&server, tls.as_ref()).map_err(unreachable)?;
        let connection = connection.with(|one| one.connect_timeout(Duration::from_secs(5)));
        let channel = connection.connect().await.map_err(unreachable)?;
        Ok(Self {
            channel,
            connection,
            headers: CallHeaders {
                deadline: Duration::from_secs(common.timeout_s),
                token,
            },
            json: common.json,
        })
    }

    /// What a call failed of: TLS, when the server told so after the connection was made.
    pub(super) fn explained(&self, failure: Failure) -> Failure {
        let Failure::Status(status) = &failure else {
            return failure;
        };
        if status.get_details_error_info().is_some() {
            return failure;
        }
        match explain(status.as_ref()).or_else(|| self.connection.told()) {
            Some(why) => Failure::Local(anyhow::anyhow!(why)),
            None => failure,
        }
    }

    pub(super) fn returns(&self) -> ReturnsServiceClient<CallChannel> {
        ReturnsServiceClient::with_interceptor(self.channel.clone(), self.headers.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn operations(&self) -> OperationsServiceClient<CallChannel> {
        OperationsServiceClient::with_interceptor(self.channel.clone(), self.headers.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn incidents(&self) -> IncidentServiceClient<CallChannel> {
        IncidentServiceClient::with_interceptor(self.channel.clone(), self.headers.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn webhooks(&self) -> WebhookServiceClient<CallChannel> {
        WebhookServiceClient::with_interceptor(self.channel.clone(), self.headers.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }
}

/// What is named, and for the rest what is saved. A server that is named, without a profile, gets
/// nothing of a profile: its token and certificate are for another one.
fn reach(common: &Common) -> Result<Reach, Failure> {
    let named = common.reach.clone();
    if named.server.is_some() && common.profile.is_none() {
        return Ok(named);
    }
    let saved = Profiles::load()?.named(common.profile.as_deref())?;
    Ok(named.or(saved))
}

/// What is trusted and shown, where a CA is named.
fn tls(reach: &Reach) -> Result<Option<ClientTls>, Failure> {
    let Some(ca) = reach.ca.clone() else {
        return Ok(None);
    };
    let certificate = match (reach.cert.clone(), reach.key.clone()) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(anyhow::anyhow!("--cert and --key go together").into());
        }
    };
    let tls = ClientTls::new(ClientTlsFiles { ca, certificate });
    tls.map(Some).map_err(|fault| Failure::Local(fault.into()))
}

/// The token, if there is one. It is not sent in clear to another machine.
fn token(reach: &Reach, server: &str) -> Result<Option<MetadataValue<Ascii>>, Failure> {
    let Some(file) = &reach.token_file else {
        return Ok(None);
    };
    let uri: Result<Uri, _> = server.parse();
    let host = uri.as_ref().ok().and_then(Uri::host);
    if !server.starts_with("https://") && !host.is_some_and(is_this_machine) {
        let what = "a token is only sent with TLS; use https:// in --server, and --ca";
        return Err(anyhow::anyhow!(what).into());
    }
    let secret = privacy::read_secret(file).map_err(anyhow::Error::msg)?;
    let header = format!("Bearer {}", secret.expose_secret().trim());
    let shown = file.display();
    let mut header: MetadataValue<Ascii> = header
        .parse()
        .map_err(|_| anyhow::anyhow!("{shown} holds no token"))?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// Reads pages until there are `limit` items, or no more. `page` gets the size and the token of
/// a page, and gives its items and the token of the next.
pub(super) async fn pages<T>(
    limit: u32,
    mut page: impl AsyncFnMut(u32, String) -> Result<(Vec<T>, String), Failure>,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    let mut token = String::new();
    let mut left = limit;
    while left > 0 {
        let size = left.min(MAX_PAGE);
        let (items, next) = page(size, token).await?;
        found.extend(items);
        if next.is_empty() {
            break;
        }
        left -= size;
        token = next;
    }
    Ok(found)
}
