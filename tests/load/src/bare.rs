//! What a hand-written read would be: the same method, mutual TLS, and one prepared SELECT.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::Result;
use echeck_proto::returns::v1 as proto;
use proto::get_transfer_request::Key;
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::TlsFiles;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it listens.
    #[arg(long)]
    listen: SocketAddr,
    /// The gateway's database.
    #[arg(long)]
    url: String,
    #[command(flatten)]
    tls: TlsFiles,
}

#[derive(Clone)]
struct Bare(PgPool);

type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl UnaryService<proto::GetTransferRequest> for Bare {
    type Response = proto::GetTransferResponse;
    type Future = Answering<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, request: Request<proto::GetTransferRequest>) -> Self::Future {
        let pool = self.0.clone();
        Box::pin(async move { read(&pool, request.into_inner()).await })
    }
}

async fn read(
    pool: &PgPool,
    request: proto::GetTransferRequest,
) -> Result<Response<proto::GetTransferResponse>, Status> {
    let Some(Key::TransferId(id)) = request.key else {
        return Err(Status::invalid_argument("set transfer_id"));
    };
    let row = sqlx::query(
        "SELECT id, type, subtype, state, amount, currency, trace_id, merchant_identity, messages::text \
         FROM transfers WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
    .map_err(|error| Status::unavailable(error.to_string()))?;
    let row = row.ok_or_else(|| Status::not_found("no such transfer"))?;
    let text = |name: &str| {
        let text: Option<String> = row.try_get(name).unwrap_or_default();
        text.unwrap_or_default()
    };
    let transfer = proto::Transfer {
        id: text("id"),
        r#type: text("type"),
        subtype: text("subtype"),
        state: text("state"),
        amount_minor: row.try_get("amount").unwrap_or_default(),
        currency: text("currency"),
        trace_id: text("trace_id"),
        merchant_identity: text("merchant_identity"),
        ..proto::Transfer::default()
    };
    Ok(Response::new(proto::GetTransferResponse {
        transfer: Some(transfer),
    }))
}

impl NamedService for Bare {
    const NAME: &'static str = "echeck.returns.v1.ReturnsService";
}

impl Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(grpc.unary(service, request).await)
        })
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let pool = PgPoolOptions::new().max_connections(8);
    let pool = pool.connect(&arguments.url).await?;
    let pem = std::fs::read;
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(
            pem(&arguments.tls.cert)?,
            pem(&arguments.tls.key)?,
        ))
        .client_ca_root(Certificate::from_pem(pem(&arguments.tls.ca)?));
    let server = Server::builder().tls_config(tls)?;
    let mut server = server.tcp_nodelay(true);
    server
        .add_service(Bare(pool))
        .serve(arguments.listen)
        .await?;
    Ok(())
}
