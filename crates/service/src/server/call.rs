//! What surrounds every call, outside of its deadline: its seat, its span and log line, and
//! the two ways in which it can end that its handler did not choose, a panic and the cut at the
//! end of a drain.
//!
//! hyper runs each call as a task, so a panic would not end the server, but the caller would
//! only see a reset stream. Here it becomes `INTERNAL`.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body as HttpBody, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;

use super::gate::Gate;
use super::record::CallRecord;
use super::refusal::{add_reason, refusal};
use super::request_body::RequestBody;
use super::trailers::{EndableBody, PolledFrame};

/// Surrounds a service's calls.
#[derive(Clone)]
pub(super) struct CallLayer {
    pub(super) gate: Gate,
    /// How long a caller may take for its next message.
    pub(super) message_timeout: Duration,
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CallService {
            inner,
            layer: self.clone(),
        }
    }
}

#[derive(Clone)]
pub(super) struct CallService<S> {
    inner: S,
    layer: CallLayer,
}

impl<S> Service<Request<Body>> for CallService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut record = CallRecord::new(&request);
        let CallLayer {
            gate,
            message_timeout,
        } = &self.layer;
        let (caller, pace) = match gate.admit(&request, &mut record) {
            Ok(admitted) => admitted,
            Err(status) => {
                record.end(&status);
                return Box::pin(std::future::ready(Ok(status.into_http())));
            }
        };
        let mut request =
            request.map(|body| Body::new(RequestBody::new(body, *message_timeout, pace)));
        request.extensions_mut().insert(caller);
        let cut = gate.in_flight.cut.clone();
        let span = record.span.clone();
        let call = AssertUnwindSafe(span.in_scope(|| self.inner.call(request))).catch_unwind();
        Box::pin(surround(call, record, cut).instrument(span))
    }
}

async fn surround<C, P>(
    call: C,
    mut record: CallRecord,
    cut: CancellationToken,
) -> Result<Response<Body>, Infallible>
where
    C: Future<Output = Result<Result<Response<Body>, Infallible>, P>>,
{
    let outcome = tokio::select! {
        biased;
        outcome = call => outcome.map_err(|_| panicked()),
        () = cut.cancelled() => Err(cut_off()),
    };
    match outcome {
        Ok(Ok(mut response)) => {
            add_reason(response.headers_mut());
            record.end_if_status(response.headers());
            if response.body().is_end_stream() {
                return Ok(response);
            }
            Ok(response.map(|inner| {
                let cut = Box::pin(cut.cancelled_owned());
                Body::new(CallBody {
                    inner: EndableBody(Some(inner)),
                    record,
                    cut,
                })
            }))
        }
        Err(status) => {
            record.end(&status);
            Ok(status.into_http())
        }
    }
}

fn panicked() -> Status {
    let what = "the server failed while it handled the call; its log says where";
    refusal(Code::Internal, "PANICKED", what)
}

fn cut_off() -> Status {
    let what = "the server is shutting down and could not wait for the call any longer";
    refusal(Code::Unavailable, "SHUTTING_DOWN", what)
}

/// The body of a response, watched until it ends.
struct CallBody {
    inner: EndableBody,
    record: CallRecord,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl CallBody {
    /// Ends the call with `status`.
    fn end_with(&mut self, status: &Status) -> PolledFrame {
        self.record.end(status);
        self.inner.end_with(status)
    }
}

impl HttpBody for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> PolledFrame {
        let span = self.record.span.clone();
        let _entered = span.enter();
        let Some(inner) = &mut self.inner.0 else {
            return Poll::Ready(None);
        };
        let Ok(mut polled) = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(context)))
        else {
            return self.end_with(&panicked());
        };
        match &mut polled {
            Poll::Pending if self.cut.as_mut().poll(context).is_ready() => {
                return self.end_with(&cut_off());
            }
            Poll::Pending | Poll::Ready(None) => {}
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    add_reason(trailers);
                    self.record.end_if_status(trailers);
                }
            }
            Poll::Ready(Some(Err(status))) => self.record.end(status),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
