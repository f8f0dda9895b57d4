//! The body of a request. A caller that begins a call and then sends nothing gives its seat back
//! after a while: what the handler waits for must come in time, message by message. One that sends
//! too fast waits.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tonic::Code;
use tonic::body::Body;

use super::pace::Pace;
use super::refusal::refusal;
use super::trailers::PolledFrame;

/// A body that fails when the next part of it does not come within `limit`.
pub(super) struct RequestBody {
    inner: Body,
    limit: Duration,
    pace: Pace,
    timer: Pin<Box<Sleep>>,
    state: BodyState,
}

enum BodyState {
    /// The handler does not wait for anything.
    Idle,
    /// The handler waits for the caller; the timer runs.
    Waiting,
    /// This came too early, and is handed on when the timer ends.
    Held(Frame<Bytes>),
}

impl RequestBody {
    pub(super) fn new(inner: Body, limit: Duration, pace: Pace) -> Self {
        Self {
            inner,
            limit,
            pace,
            timer: Box::pin(sleep(limit)),
            state: BodyState::Idle,
        }
    }

    fn timer_ends_in(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }

    /// How long a frame has to wait, for what is counted of it.
    fn wait_for(&self, frame: &Frame<Bytes>) -> Option<Duration> {
        self.pace.take(frame.data_ref()?.len())
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> PolledFrame {
        let this = &mut *self;
        if let BodyState::Held(_) = this.state {
            if this.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if let BodyState::Held(frame) = std::mem::replace(&mut this.state, BodyState::Idle) {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
        if let Poll::Ready(polled) = Pin::new(&mut this.inner).poll_frame(context) {
            this.state = BodyState::Idle;
            let Some(Ok(frame)) = polled else {
                return Poll::Ready(polled);
            };
            let Some(wait) = this.wait_for(&frame) else {
                return Poll::Ready(Some(Ok(frame)));
            };
            this.state = BodyState::Held(frame);
            this.timer_ends_in(wait);
            return self.poll_frame(context);
        }
        if matches!(this.state, BodyState::Idle) {
            this.state = BodyState::Waiting;
            this.timer_ends_in(this.limit);
        }
        if this.timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let ms = this.limit.as_millis();
        let what = format!("the next message of the call did not come within {ms} ms");
        let status = refusal(Code::DeadlineExceeded, "MESSAGE_TIMEOUT", what);
        Poll::Ready(Some(Err(status)))
    }

    fn is_end_stream(&self) -> bool {
        !matches!(self.state, BodyState::Held(_)) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.state {
            BodyState::Held(_) => SizeHint::default(),
            BodyState::Idle | BodyState::Waiting => self.inner.size_hint(),
        }
    }
}
