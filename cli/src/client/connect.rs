//! Reaching the service, and telling in a sentence why it did not work.

use std::time::Duration;

use echeck_proto::returns::v1::incident_service_client::IncidentServiceClient;
use echeck_proto::returns::v1::operations_service_client::OperationsServiceClient;
use echeck_proto::returns::v1::returns_service_client::ReturnsServiceClient;
use echeck_proto::returns::v1::webhook_service_client::WebhookServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use super::{Common, exit};
use crate::output::print_error;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The service cannot be reached.
    Unreachable {
        /// Where it was looked for.
        server: String,
        /// What the system said.
        why: String,
    },
    /// The service answered with an error.
    Status(Box<tonic::Status>),
    /// Something on this side.
    Local(anyhow::Error),
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
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
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::Local(_) => exit::FAILED,
            Self::Status(status) => match status.code() {
                Code::NotFound => exit::NOT_FOUND,
                // The client's own timer says CANCELLED for the same thing.
                Code::DeadlineExceeded | Code::Cancelled => exit::DEADLINE,
                _ => exit::FAILED,
            },
        }
    }

    /// Tells what happened on standard error.
    pub fn print(&self) {
        match self {
            Self::Unreachable { server, why } => print_error(&format!(
                "nothing answers at {server} ({why}); start `echeck up`, or name the service with --server"
            )),
            Self::Local(error) => print_error(&format!("{error:#}")),
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

async fn channel(common: &Common) -> Result<Channel, Failure> {
    let unreachable = |why: String| Failure::Unreachable {
        server: common.server.clone(),
        why,
    };
    Endpoint::from_shared(common.server.clone())
        .map_err(|error| unreachable(error.to_string()))?
        .connect_timeout(Duration::from_secs(5))
        .connect()
        .await
        .map_err(|error| {
            let mut why = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                why = cause.to_string();
                source = cause.source();
            }
            unreachable(why)
        })
}

/// A client of the returns API.
pub(super) async fn returns(common: &Common) -> Result<ReturnsServiceClient<Channel>, Failure> {
    Ok(ReturnsServiceClient::new(channel(common).await?).max_decoding_message_size(64 << 20))
}

/// A client of the operations API.
pub(super) async fn operations(
    common: &Common,
) -> Result<OperationsServiceClient<Channel>, Failure> {
    Ok(OperationsServiceClient::new(channel(common).await?).max_decoding_message_size(64 << 20))
}

/// A client of the incidents API.
pub(super) async fn incidents(common: &Common) -> Result<IncidentServiceClient<Channel>, Failure> {
    Ok(IncidentServiceClient::new(channel(common).await?).max_decoding_message_size(64 << 20))
}

/// The calls about webhooks.
pub(super) async fn webhooks(common: &Common) -> Result<WebhookServiceClient<Channel>, Failure> {
    Ok(WebhookServiceClient::new(channel(common).await?).max_decoding_message_size(64 << 20))
}

/// A request with the command's deadline.
pub(super) fn request<T>(common: &Common, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(common.timeout_s));
    request
}
