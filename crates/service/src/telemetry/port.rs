//! The port for those who only look: `/metrics` for Prometheus, `/livez`, `/readyz` and `/startupz` for
//! whatever runs the process. It speaks plain HTTP: bind it to an address that only they reach.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use opentelemetry_prometheus::PrometheusExporter;
use prometheus::{Registry, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tracing::{info, warn};

use crate::server::Health;

/// The most connections at a time; more wait.
const MOST_CONNECTIONS: usize = 32;

/// How long somebody may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// What is collected for this port.
static COLLECTED: OnceLock<Registry> = OnceLock::new();

/// What collects numbers for this port.
pub(super) fn reader() -> Result<PrometheusExporter, String> {
    let registry = COLLECTED.get_or_init(Registry::new).clone();
    opentelemetry_prometheus::exporter()
        .with_registry(registry)
        .scope_info_enabled(false)
        .build()
        .map_err(|error| error.to_string())
}

/// Serves the port until `stop`. A port that is taken is logged, and changes nothing else.
pub(crate) async fn serve(address: SocketAddr, health: Health, stop: CancellationToken) {
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(fault) => {
            warn!(%address, %fault, "metrics.listen cannot be listened on; nobody can ask for numbers and health there");
            stop.cancelled().await;
            return;
        }
    };
    info!(%address, "numbers and health can be asked for");
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        // Only closing the semaphore is an error, which nobody does.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let health = health.clone();
                tokio::spawn(async move {
                    // Whoever takes longer asks again.
                    let _ = tokio::time::timeout(PATIENCE, answer(stream, health)).await;
                    drop(place);
                });
            }
            Err(fault) => {
                warn!(%fault, "cannot accept a connection for numbers and health");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, health: Health) -> Result<(), hyper::Error> {
    let answering = service_fn(move |request: Request<Incoming>| {
        let response = respond(request.method(), request.uri().path(), &health);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answering)
        .await
}

fn respond(method: &http::Method, path: &str, health: &Health) -> Response<Body> {
    if method != http::Method::GET && method != http::Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET".to_owned());
    }
    match path {
        "/metrics" => numbers(),
        "/livez" => said(true, "alive"),
        "/startupz" => said(health.has_started(), "started"),
        "/readyz" => said(health.is_serving(), "ready"),
        _ => {
            let paths = "there is /metrics, /livez, /readyz and /startupz";
            text(StatusCode::NOT_FOUND, paths.to_owned())
        }
    }
}

fn said(is_so: bool, word: &str) -> Response<Body> {
    match is_so {
        true => text(StatusCode::OK, word.to_owned()),
        false => text(StatusCode::SERVICE_UNAVAILABLE, format!("not {word}")),
    }
}

fn numbers() -> Response<Body> {
    let families = COLLECTED.get().map(Registry::gather).unwrap_or_default();
    match TextEncoder::new().encode_to_string(&families) {
        Ok(numbers) => {
            let mut response = text(StatusCode::OK, numbers);
            let format = http::HeaderValue::from_static(prometheus::TEXT_FORMAT);
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, format);
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::new(text));
    *response.status_mut() = status;
    response
}
