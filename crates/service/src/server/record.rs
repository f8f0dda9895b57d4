//! The one log line that every call leaves.

use std::net::SocketAddr;

use http::{HeaderMap, Request};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};
use tracing::{Span, debug, info_span, warn};

use super::refusal::refusal;
use super::seats::Seat;

/// A call until it is logged, which happens exactly once: when its status is known or, when
/// the caller goes away first, as `CANCELLED`.
pub(super) struct CallRecord {
    method: String,
    peer: Option<SocketAddr>,
    started: Instant,
    /// The span that handlers log within.
    pub(super) span: Span,
    seat: Option<Seat>,
    logged: bool,
}

impl CallRecord {
    pub(super) fn new(request: &Request<Body>) -> Self {
        let method = request.uri().path().to_owned();
        // Behind TLS the peer is in TlsConnectInfo<TcpConnectInfo>, with its certificate: the
        // place where a caller's role is found.
        let peer = request
            .extensions()
            .get()
            .and_then(TcpConnectInfo::remote_addr);
        let span = info_span!("call", method);
        Self {
            method,
            peer,
            started: Instant::now(),
            span,
            seat: None,
            logged: false,
        }
    }

    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Holds the call's seat until it is logged.
    pub(super) fn hold(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// Ends the call if these headers or trailers carry its status.
    pub(super) fn end_if_status(&mut self, headers: &HeaderMap) {
        if let Some(status) = Status::from_header_map(headers) {
            self.end(&status);
        }
    }

    /// Ends the call. Only codes that mean a defect of the server are warnings: the others are
    /// answers that a caller is meant to handle.
    pub(super) fn end(&mut self, status: &Status) {
        if std::mem::replace(&mut self.logged, true) {
            return;
        }
        self.seat = None;
        let Self {
            method,
            peer,
            started,
            ..
        } = self;
        let peer = peer.map(tracing::field::display);
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let code = status.code();
        let reason = Some(status.message()).filter(|reason| !reason.is_empty());
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            warn!(method, ?code, duration_ms, peer, reason, "call failed");
        } else {
            debug!(method, ?code, duration_ms, peer, reason, "call ended");
        }
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        let what = "the caller went away";
        self.end(&refusal(Code::Cancelled, "CALLER_GONE", what));
    }
}
