//! Errors of the server itself. Like every other error they carry `google.rpc.ErrorInfo`, so that
//! a caller never has to guess from a text.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::access::Denied;
use crate::access::table::rule;

/// The domain of every reason that the server gives.
const DOMAIN: &str = "echeck-server";

/// An error that the server answers in place of a handler.
pub(super) fn refusal(code: Code, reason: &str, message: impl Into<String>) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, details)
}

/// An error after which the same call may be tried again in a while.
pub(super) fn refusal_for(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    retry_after: Duration,
) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.set_retry_info(Some(retry_after));
    Status::with_error_details(code, message, details)
}

/// The answer to a call that is not let in. Who has no right credentials is told that and nothing
/// else.
pub(super) fn denied(denied: &Denied) -> Status {
    match denied {
        Denied::Unknown { .. } => {
            let what = "the call needs a certificate, or a token (authorization: Bearer ...), that is \
                        known here and has not expired";
            refusal(Code::Unauthenticated, "UNAUTHENTICATED", what)
        }
        Denied::NotAllowed { identity, method } => {
            let roles = rule(method).map_or(&[][..], |rule| rule.roles);
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            let what = format!(
                "{identity} may not call {method}; it takes one of the roles {}",
                roles.join(", ")
            );
            refusal(Code::PermissionDenied, "ROLE_MISSING", what)
        }
        Denied::NoMethod => {
            let what =
                "there is no method of this name; `grpcurl ADDRESS list` shows what there is";
            refusal(Code::Unimplemented, "UNIMPLEMENTED", what)
        }
    }
}

/// Adds a reason to an error without details, in the headers or trailers that carry it. The gRPC
/// library makes such errors: a method that is not there, a message that is too large.
pub(super) fn add_reason(headers: &mut HeaderMap) {
    let Some(status) = Status::from_header_map(headers) else {
        return;
    };
    if status.code() == Code::Ok || !status.details().is_empty() {
        return;
    }
    let status = refusal(status.code(), code_name(status.code()), status.message());
    // Only a text that no header can carry is refused; then the error stays as it was.
    let _ = status.add_header(headers);
}

/// The name of a code in the protocol.
pub(super) const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
