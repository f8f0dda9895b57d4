//! Real calls over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use echeck_proto::returns::v1::get_transfer_request::Key;
use echeck_proto::returns::v1::returns_service_client::ReturnsServiceClient;
use echeck_proto::returns::v1::{GetTransferRequest, GetTransferResponse, WatchImportRequest};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::{Health, Refusals, ServeError, Served, ServerConfig, ServerDefaults};
use crate::access::{Access, Role};
use crate::clock::SystemClock;
use crate::config::Settings;
use sample::Sample;

mod calls;
mod deadlines;
mod drain;
mod health_and_reflection;
mod limits;
mod sample;

/// A client of the sample service.
pub(crate) type Client = ReturnsServiceClient<Channel>;

const SERVICE: &str = "echeck.returns.v1.ReturnsService";

/// A server with the sample service behind it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    sample: Sample,
    health: Health,
    shutdown: CancellationToken,
    served: JoinHandle<Result<(), ServeError>>,
}

/// Starts a server with these lines in its section `[server]`, for everybody.
async fn start(lines: &str) -> Running {
    start_for(lines, Access::for_everybody([Role::Admin])).await
}

/// The same, for whoever may call.
pub(crate) async fn start_for(lines: &str, access: Access) -> Running {
    let settings = Settings::from_toml(&format!("[server]\n{lines}\n")).unwrap();
    let section = settings.root().section("server");
    let config = ServerConfig::read(&section, ServerDefaults::at("127.0.0.1:0"));
    settings.finish().unwrap();
    let bound = config.bind().await.unwrap();
    let address = bound.local_addr();
    let sample = Sample::default();
    let mut routes = RoutesBuilder::default();
    routes.add_service(
        sample
            .server()
            .max_decoding_message_size(config.max_message_bytes),
    );
    let health = Health::new(&[SERVICE]);
    let shutdown = CancellationToken::new();
    let served = Served {
        routes,
        health: health.clone(),
        access,
        refusals: Refusals::default(),
        clock: Arc::new(SystemClock),
        metrics: None,
    };
    let served = tokio::spawn(bound.serve(served, shutdown.clone()));
    Running {
        address,
        sample,
        health,
        shutdown,
        served,
    }
}

impl Running {
    /// A connection that gives up after a while, so that a broken deadline fails a test and does
    /// not hang it. This sends no `grpc-timeout`.
    async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint
            .timeout(Duration::from_secs(20))
            .connect()
            .await
            .unwrap()
    }

    async fn client(&self) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::new(self.channel().await)
    }
}

/// The code of an error, and the reason in its `ErrorInfo`, which every error has.
fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (
        status.code(),
        info.unwrap_or_else(|| panic!("no ErrorInfo: {status}"))
            .reason,
    )
}

/// What [`reason`] gives.
fn because(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

/// A request that tells the sample what to do.
pub(crate) fn ask(what: &str) -> Request<GetTransferRequest> {
    Request::new(GetTransferRequest {
        key: Some(Key::TransferId(what.to_owned())),
        ..Default::default()
    })
}

fn watch(what: &str) -> Request<WatchImportRequest> {
    Request::new(WatchImportRequest {
        import_id: what.to_owned(),
    })
}

/// Calls the sample with `what` in a task of its own.
fn call_aside(
    mut client: ReturnsServiceClient<Channel>,
    what: &'static str,
) -> JoinHandle<Result<GetTransferResponse, Status>> {
    tokio::spawn(async move {
        client
            .get_transfer(ask(what))
            .await
            .map(tonic::Response::into_inner)
    })
}

/// Waits until something has happened once more, and fails the test if it does not.
async fn happens(event: &Semaphore) {
    within(Duration::from_secs(10), event.acquire())
        .await
        .unwrap()
        .forget();
}

async fn within<T>(limit: Duration, what: impl Future<Output = T>) -> T {
    tokio::time::timeout(limit, what)
        .await
        .expect("this takes too long")
}
