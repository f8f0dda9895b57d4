//! The one log line that every call leaves.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, Request};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::field::Empty;
use tracing::{Span, debug, info, info_span, warn};

use super::refusal::{code_name, refusal};
use super::seats::Seat;
use crate::access::table::rule;
use crate::access::{Caller, Peer, Role};
use crate::metrics::CALL_DURATION;
use crate::telemetry::{CALLS, continue_trace, parent_in, trace_id};

/// A call until it is logged, which happens exactly once: when its status is known or, when
/// the caller goes away first, as `CANCELLED`.
pub(super) struct CallRecord {
    method: String,
    peer: Option<Arc<Peer>>,
    /// Who calls, once it is known.
    caller: Option<Caller>,
    started: Instant,
    /// The span that handlers log within.
    pub(super) span: Span,
    seat: Option<Seat>,
    logged: bool,
}

impl CallRecord {
    pub(super) fn new(request: &Request<Body>) -> Self {
        // Without the query, in which somebody may have put a secret.
        let method = request.uri().path().to_owned();
        let span = info_span!(
            "call",
            otel.name = method,
            otel.kind = "server",
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            otel.status_code = Empty,
            method,
            identity = Empty,
            call_id = Empty
        );
        continue_trace(&span, parent_in(request.headers()));
        Self {
            method,
            peer: request.extensions().get().cloned(),
            caller: None,
            started: Instant::now(),
            span,
            seat: None,
            logged: false,
        }
    }

    pub(super) fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.peer()?.address
    }

    /// Notes who calls.
    pub(super) fn identify(&mut self, caller: &Caller) {
        self.span.record("identity", &*caller.identity);
        self.span.record("call_id", &*caller.call_id);
        self.caller = Some(caller.clone());
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

    /// Ends the call with its line in the log. Only codes that mean a defect of the server are warnings: the others are
    /// answers that a caller is meant to handle.
    pub(super) fn end(&mut self, status: &Status) {
        if std::mem::replace(&mut self.logged, true) {
            return;
        }
        self.seat = None;
        let peer = self.address().map(tracing::field::display);
        let identity = self.caller.as_ref().map(|caller| &*caller.identity);
        let call_id = self.caller.as_ref().map(|caller| &*caller.call_id);
        let method = &self.method;
        let duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let code = status.code();
        let reason = Some(status.message()).filter(|reason| !reason.is_empty());
        let (status, trace_id) = (code_name(code), trace_id(&self.span));
        self.measure(code);
        macro_rules! line {
            ($level:ident, $what:literal) => {
                // The span has the same once more.
                $level!(
                    target: CALLS,
                    parent: None,
                    method,
                    identity,
                    status,
                    duration_ms,
                    peer,
                    call_id,
                    trace_id,
                    reason,
                    $what
                )
            };
        }
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            line!(warn, "call failed");
        } else if rule(method).is_some_and(|rule| rule.roles.contains(&Role::Health)) {
            // Whatever runs the process asks every few seconds.
            line!(debug, "call ended");
        } else {
            line!(info, "call ended");
        }
    }
}

impl CallRecord {
    /// Records how long it took, and how it ended. What callers make up is no label.
    fn measure(&self, code: Code) {
        let method = rule(&self.method).map_or("_OTHER", |rule| rule.path);
        let status = code_name(code);
        CALL_DURATION.record(self.started.elapsed(), &["grpc", method, status]);
        self.span.record("rpc.response.status_code", status);
        if matches!(
            code,
            Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable
        ) {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        let what = "the caller went away";
        self.end(&refusal(Code::Cancelled, "CALLER_GONE", what));
    }
}
