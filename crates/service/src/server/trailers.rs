//! A status as the trailers that end a response, and a body that they can end early.

use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// The trailers that carry `status`. If its text cannot be sent, its code still is.
fn trailers_of(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", HeaderValue::from(i32::from(status.code())));
    }
    trailers
}

/// What a body answers when it is polled.
pub(super) type PolledFrame = Poll<Option<Result<Frame<Bytes>, Status>>>;

/// A handler's body, until it is ended early.
pub(super) struct EndableBody(pub(super) Option<Body>);

impl EndableBody {
    /// Drops the handler's stream, which stops it, and ends the response with `status`.
    pub(super) fn end_with(&mut self, status: &Status) -> PolledFrame {
        self.0 = None;
        Poll::Ready(Some(Ok(Frame::trailers(trailers_of(status)))))
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let inner = self.0.as_ref();
        inner.map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}
