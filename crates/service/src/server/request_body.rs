//! The body of a request. A caller that begins a call and then sends nothing gives its seat back
//! after a while: what the handler waits for must come in time, message by message.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tonic::Code;
use tonic::body::Body;

use super::refusal::refusal;
use super::trailers::PolledFrame;

/// A body that fails when the next part of it does not come within `limit`.
pub(super) struct RequestBody {
    inner: Body,
    limit: Duration,
    timer: Pin<Box<Sleep>>,
    /// Whether the timer runs: only while the handler waits.
    waiting: bool,
}

impl RequestBody {
    pub(super) fn new(inner: Body, limit: Duration) -> Self {
        Self {
            inner,
            limit,
            timer: Box::pin(sleep(limit)),
            waiting: false,
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> PolledFrame {
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.inner).poll_frame(context) {
            self.waiting = false;
            return ready;
        }
        if !std::mem::replace(&mut self.waiting, true) {
            let end = Instant::now() + self.limit;
            self.timer.as_mut().reset(end);
        }
        if self.timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let ms = self.limit.as_millis();
        let what = format!("the next message of the call did not come within {ms} ms");
        let status = refusal(Code::DeadlineExceeded, "MESSAGE_TIMEOUT", what);
        Poll::Ready(Some(Err(status)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
