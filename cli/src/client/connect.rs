//! Reaching the service, and reading its lists page by page.

use std::time::Duration;

use echeck_proto::adapter::v1::adapter_service_client::AdapterServiceClient;
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
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use super::Common;
use super::profile::{Profiles, Reach};
use crate::failure::Failure;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// The largest page that the service gives.
const MAX_PAGE: u32 = 500;

/// What goes with each call: its deadline, and the token, if there is one.
#[derive(Clone)]
pub(super) struct CallHeaders {
    /// `None` for a call that never ends by itself.
    deadline: Option<Duration>,
    token: Option<MetadataValue<Ascii>>,
}

impl Interceptor for CallHeaders {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(deadline) = self.deadline {
            request.set_timeout(deadline);
        }
        if let Some(token) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

pub(super) type CallChannel = InterceptedService<Channel, CallHeaders>;

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
    pub(super) async fn connect(common: &Common, json: bool) -> Result<Self, Failure> {
        let reach = reach(common)?;
        let server = reach.server.as_deref().unwrap_or(DEFAULT_SERVER);
        let server = with_scheme(server, reach.ca.is_some());
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
                deadline: Some(Duration::from_secs(common.timeout_s)),
                token,
            },
            json,
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

    /// For a call that never ends by itself.
    pub(super) fn returns_without_deadline(&self) -> ReturnsServiceClient<CallChannel> {
        let headers = CallHeaders {
            deadline: None,
            ..self.headers.clone()
        };
        ReturnsServiceClient::with_interceptor(self.channel.clone(), headers)
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

    /// An adapter, where that is what the address leads to.
    pub(super) fn adapter(&self) -> AdapterServiceClient<CallChannel> {
        AdapterServiceClient::with_interceptor(self.channel.clone(), self.headers.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn webhooks(&self) -> WebhookServiceClient<CallChannel> {
        WebhookServiceClient::with_interceptor(self.channel.clone(), self.headers.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }
}

/// An address with its scheme: TLS where a CA is named, since there is nothing else to name one for.
fn with_scheme(server: &str, has_ca: bool) -> String {
    match server.contains("://") {
        true => server.to_owned(),
        false if has_ca => format!("https://{server}"),
        false => format!("http://{server}"),
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

/// What a list has, up to its limit.
pub(super) struct Listed<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// Whether there are more than the limit.
    pub(super) has_more: bool,
}

/// Reads pages until there are `limit` items, or no more. `page` gets the size and the token of
/// a page, and gives its items and the token of the next.
pub(super) async fn pages<T>(
    limit: u32,
    mut page: impl AsyncFnMut(u32, String) -> Result<(Vec<T>, String), Failure>,
) -> Result<Listed<T>, Failure> {
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let read = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let left = limit.saturating_sub(read);
        if left == 0 {
            // A full page may be the last one although it has a token.
            let has_more = !token.is_empty() && !page(1, token).await?.0.is_empty();
            return Ok(Listed { items, has_more });
        }
        let (found, next) = page(left.min(MAX_PAGE), token).await?;
        items.extend(found);
        if next.is_empty() {
            let has_more = false;
            return Ok(Listed { items, has_more });
        }
        token = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_of_a_server_is_optional() {
        assert_eq!(with_scheme("returns:50051", true), "https://returns:50051");
        assert_eq!(
            with_scheme("127.0.0.1:50051", false),
            "http://127.0.0.1:50051"
        );
        assert_eq!(
            with_scheme("https://returns:50051", false),
            "https://returns:50051"
        );
    }

    #[tokio::test]
    async fn a_list_says_whether_there_is_more_than_its_limit() {
        let list = async |limit| {
            let page = async |size: u32, token: String| {
                let from: u32 = token.parse().unwrap_or(0);
                let until = (from + size).min(1_200);
                let is_full = until - from == size;
                let next = if is_full {
                    until.to_string()
                } else {
                    String::new()
                };
                Ok(((from..until).collect::<Vec<_>>(), next))
            };
            let listed = pages(limit, page).await.unwrap();
            (listed.items.len(), listed.has_more)
        };
        assert_eq!(list(7).await, (7, true));
        assert_eq!(list(1_199).await, (1_199, true));
        assert_eq!(list(1_200).await, (1_200, false));
        assert_eq!(list(u32::MAX).await, (1_200, false));
    }
}
