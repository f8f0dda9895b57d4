//! Reaching the service, and saying in a sentence why a call failed.

use std::time::Duration;

use echeck_proto::returns::v1::incident_service_client::IncidentServiceClient;
use echeck_proto::returns::v1::operations_service_client::OperationsServiceClient;
use echeck_proto::returns::v1::returns_service_client::ReturnsServiceClient;
use echeck_proto::returns::v1::webhook_service_client::WebhookServiceClient;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

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

/// Sets the deadline of each call.
#[derive(Clone, Copy)]
pub(super) struct CallDeadline(Duration);

impl Interceptor for CallDeadline {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.set_timeout(self.0);
        Ok(request)
    }
}

type DeadlineChannel = InterceptedService<Channel, CallDeadline>;

/// The service, as one command calls it.
pub(super) struct Client {
    channel: Channel,
    deadline: CallDeadline,
    /// Whether to answer as JSON.
    pub(super) json: bool,
}

impl Client {
    pub(super) async fn connect(common: &Common) -> Result<Self, Failure> {
        let unreachable = |why: String| Failure::Unreachable {
            server: common.server.clone(),
            why,
        };
        let channel = Endpoint::from_shared(common.server.clone())
            .map_err(|error| unreachable(error.to_string()))?
            .connect_timeout(Duration::from_secs(5))
            .connect()
            .await
            .map_err(|error| unreachable(innermost(&error)))?;
        Ok(Self {
            channel,
            deadline: CallDeadline(Duration::from_secs(common.timeout_s)),
            json: common.json,
        })
    }

    pub(super) fn returns(&self) -> ReturnsServiceClient<DeadlineChannel> {
        ReturnsServiceClient::with_interceptor(self.channel.clone(), self.deadline)
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn operations(&self) -> OperationsServiceClient<DeadlineChannel> {
        OperationsServiceClient::with_interceptor(self.channel.clone(), self.deadline)
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn incidents(&self) -> IncidentServiceClient<DeadlineChannel> {
        IncidentServiceClient::with_interceptor(self.channel.clone(), self.deadline)
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(super) fn webhooks(&self) -> WebhookServiceClient<DeadlineChannel> {
        WebhookServiceClient::with_interceptor(self.channel.clone(), self.deadline)
            .max_decoding_message_size(MAX_ANSWER)
    }
}

/// What the system said: the cause behind all others.
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
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
