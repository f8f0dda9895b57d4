//! Deadlines: a call that takes too long is answered `DEADLINE_EXCEEDED`.
//!
//! tonic has a timer of its own for the `grpc-timeout` header, but it answers `CANCELLED`. It
//! sits outside of this layer and cannot be turned off, so this one fires a little earlier. That
//! also lets the answer cross the wire before the caller's own timer cuts the call.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::refusal::refusal;
use super::trailers::{EndableBody, PolledFrame};

const HEADER: &str = "grpc-timeout";

/// When the caller stops waiting. It is in the extensions of a request whose caller set a
/// `grpc-timeout`, so that a handler can tell how much work is still worth doing.
///
/// The layer itself ends a call at this time, a streaming response included. Without a
/// `grpc-timeout` a response stream may run for as long as its handler likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

/// The deadline that the caller of `request` set, if any.
pub fn deadline_of<T>(request: &tonic::Request<T>) -> Option<Deadline> {
    request.extensions().get().copied()
}

/// Adds deadlines to a service.
#[derive(Debug, Clone)]
pub(super) struct DeadlineLayer {
    /// Until the response starts, when the caller set none.
    pub(super) default_timeout: Duration,
    /// Until the response starts, at most.
    pub(super) max_timeout: Duration,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService {
            inner,
            limits: self.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct DeadlineService<S> {
    inner: S,
    limits: DeadlineLayer,
}

impl<S> Service<Request<Body>> for DeadlineService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let now = Instant::now();
        let asked = match asked_timeout(request.headers()) {
            Ok(asked) => asked.map(|timeout| timeout - margin(timeout)),
            Err(status) => return Box::pin(std::future::ready(Ok(status.into_http()))),
        };
        let end = asked.map(|timeout| now + timeout);
        if let Some(end) = end {
            request.extensions_mut().insert(Deadline(end));
        }
        let until_response = asked
            .unwrap_or(self.limits.default_timeout)
            .min(self.limits.max_timeout);
        let call = self.inner.call(request);
        Box::pin(async move {
            match timeout_at(now + until_response, call).await {
                Ok(outcome) => outcome.map(|response| bounded(response, end)),
                Err(_) => Ok(exceeded(until_response).into_http()),
            }
        })
    }
}

fn exceeded(timeout: Duration) -> Status {
    let what = format!("the call did not end within {} ms", timeout.as_millis());
    refusal(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", what)
}

/// By how much the server is earlier than the caller: a tenth, at most 50 ms.
fn margin(timeout: Duration) -> Duration {
    (timeout / 10).min(Duration::from_millis(50))
}

/// Reads `grpc-timeout`: at most eight digits and a unit, by the gRPC protocol over HTTP/2.
fn asked_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(None);
    };
    let wrong = || {
        let what = format!(
            "the header {HEADER} must be one to eight digits and one of H, M, S, m, u, n; it is {value:?}"
        );
        refusal(Code::InvalidArgument, "INVALID_TIMEOUT", what)
    };
    let text = value.to_str().map_err(|_| wrong())?;
    let (digits, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    Ok(Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return Err(wrong()),
    }))
}

/// Ends the body of `response` at `end`, if the caller set one.
fn bounded(response: Response<Body>, end: Option<Instant>) -> Response<Body> {
    match end {
        Some(end) if !response.body().is_end_stream() => {
            let timer = Box::pin(sleep_until(end));
            response.map(|inner| {
                let inner = EndableBody(Some(inner));
                Body::new(BoundedBody { inner, timer })
            })
        }
        Some(_) | None => response,
    }
}

/// A response body that ends with `DEADLINE_EXCEEDED` when its time is up.
struct BoundedBody {
    inner: EndableBody,
    timer: Pin<Box<Sleep>>,
}

impl HttpBody for BoundedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> PolledFrame {
        let Some(inner) = &mut self.inner.0 else {
            return Poll::Ready(None);
        };
        if let ready @ Poll::Ready(_) = Pin::new(inner).poll_frame(context) {
            return ready;
        }
        if self.timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let what = "the stream did not end within its deadline";
        let status = refusal(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", what);
        self.inner.end_with(&status)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
