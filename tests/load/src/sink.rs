//! Endpoints of platforms, which answer each message after a while, and count.

use std::collections::HashSet;
use std::convert::Infallible;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many endpoints there are, each at a port of its own.
    #[arg(long)]
    endpoints: usize,
    /// How long each takes to answer, in milliseconds.
    #[arg(long)]
    delay_ms: u64,
    /// For how many different messages it waits.
    #[arg(long)]
    messages: usize,
}

/// What has come so far.
#[derive(Default)]
struct Counts {
    /// By endpoint and id.
    seen: HashSet<(usize, Vec<u8>)>,
    repeated: usize,
    bytes: usize,
    first: Option<Instant>,
}

struct Sink {
    counts: Mutex<Counts>,
    delay: Duration,
    messages: usize,
    all_here: Notify,
}

impl Sink {
    async fn answer(
        &self,
        endpoint: usize,
        request: Request<Incoming>,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        let id = request.headers().get("webhook-id");
        let id = id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let began = Instant::now();
        let body = request.into_body().collect().await;
        tokio::time::sleep(self.delay).await;
        let bytes = body.map_or(0, |body| body.to_bytes().len());
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.first.get_or_insert(began);
        counts.bytes += bytes;
        if !counts.seen.insert((endpoint, id)) {
            counts.repeated += 1;
        }
        if counts.seen.len() == self.messages {
            self.all_here.notify_one();
        }
        Ok(Response::new(Empty::new()))
    }
}

async fn serve(sink: Arc<Sink>, endpoint: usize, listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let sink = sink.clone();
        let answer = service_fn(move |request| {
            let sink = sink.clone();
            async move { sink.answer(endpoint, request).await }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// Prints its ports, and then how long the messages took: from the first one until the last was answered.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let sink = Arc::new(Sink {
        counts: Mutex::default(),
        delay: Duration::from_millis(arguments.delay_ms),
        messages: arguments.messages,
        all_here: Notify::new(),
    });
    let mut ports = Vec::new();
    for endpoint in 0..arguments.endpoints {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        ports.push(listener.local_addr()?.port());
        tokio::spawn(serve(sink.clone(), endpoint, listener));
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::json!({"ports": ports}))?;
    sink.all_here.notified().await;
    let counts = sink.counts.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = counts
        .first
        .map_or(0.0, |first| first.elapsed().as_secs_f64());
    let figures = serde_json::json!({
        "seconds": seconds,
        "repeated": counts.repeated,
        "bytes": counts.bytes / counts.seen.len().max(1),
    });
    writeln!(out, "{figures}")?;
    Ok(())
}
