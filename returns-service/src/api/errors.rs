//! The one table from the domain's errors to gRPC status. What a caller sees says what
//! happened and what to do; what only we need is in the log.

use std::collections::HashMap;

use echeck_service::ErrorChain;
use returns_alerts::OperateError;
use returns_feed::settle::MarkError;
use returns_feed::{AdoptError, FeedError};
use returns_import::adapter::AdapterError;
use returns_import::decide::DecideError;
use returns_import::hold::HoldError;
use returns_import::{ImportError, ReceiveError};
use returns_model::endpoint::EndpointFault;
use returns_model::plan::PlanFault;
use returns_reports::bucket::BucketError;
use returns_store::StoreError;
use returns_webhooks::KeyError;
use returns_webhooks::render::UnreadableEvent;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

const DOMAIN: &str = "echeck-returns";

fn status(code: Code, reason: &str, message: impl Into<String>, facts: &[(&str, &str)]) -> Status {
    let metadata: HashMap<String, String> = facts
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, message, details)
}

/// Something that was asked for by id is not there.
pub(super) fn not_found(what: &str, id: &str) -> Status {
    status(
        Code::NotFound,
        "NOT_FOUND",
        format!("there is no {what} {id:?}"),
        &[(what, id)],
    )
}

/// An argument is wrong: the field, and what it should be.
pub(super) fn invalid(field: &str, what: impl Into<String>) -> Status {
    let what = what.into();
    let mut details = ErrorDetails::with_error_info("INVALID_ARGUMENT", DOMAIN, HashMap::new());
    details.add_bad_request_violation(field, &what);
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {what}"), details)
}

/// A schedule is wrong: every field of it that is, and what it should be.
pub(super) fn invalid_plan(faults: &[PlanFault]) -> Status {
    let mut details = ErrorDetails::with_error_info("INVALID_ARGUMENT", DOMAIN, HashMap::new());
    let mut lines = Vec::new();
    for PlanFault { field, what } in faults {
        details.add_bad_request_violation(format!("schedule.{field}"), what);
        lines.push(format!("schedule.{field}: {what}"));
    }
    Status::with_error_details(Code::InvalidArgument, lines.join("; "), details)
}

/// A transfer that cannot be made ready to settle.
pub(super) fn of_mark(error: &MarkError) -> Status {
    match error {
        MarkError::Store(error) => of_store(error),
        MarkError::NotMade(id) => not_found("reversal or restoration", id),
        MarkError::NotApplied { .. } => precondition("NOT_APPLIED", error.to_string()),
        MarkError::WithoutEffect { .. } | MarkError::NotTaken { .. } => {
            precondition("WITHOUT_EFFECT", error.to_string())
        }
    }
}

/// The call is right, but not in the present state.
pub(super) fn precondition(reason: &str, what: impl Into<String>) -> Status {
    status(Code::FailedPrecondition, reason, what, &[])
}

/// The service is stopping; the caller may ask another replica, or again.
pub(super) fn stopping() -> Status {
    status(
        Code::Unavailable,
        "STOPPING",
        "the service is stopping; call again",
        &[],
    )
}

/// Somebody else changed the same thing since it was looked at.
pub(super) fn changed_meanwhile(what: &str) -> Status {
    Status::aborted(format!(
        "somebody else changed the {what} meanwhile; look at it and call again"
    ))
}

/// Something else is there under the same key.
pub(super) fn already_exists(reason: &str, what: impl Into<String>) -> Status {
    status(Code::AlreadyExists, reason, what, &[])
}

/// An endpoint's settings are wrong: every field that is, and what it should be.
pub(super) fn invalid_fields(faults: &[EndpointFault]) -> Status {
    let mut details = ErrorDetails::with_error_info("INVALID_ARGUMENT", DOMAIN, HashMap::new());
    let mut lines = Vec::new();
    for EndpointFault { field, what } in faults {
        details.add_bad_request_violation(*field, what);
        lines.push(format!("{field}: {what}"));
    }
    Status::with_error_details(Code::InvalidArgument, lines.join("; "), details)
}

/// A key of an endpoint cannot be used.
pub(super) fn of_key(error: &KeyError) -> Status {
    tracing::error!(%error, "a key of an endpoint failed a call");
    precondition("KEY_UNREADABLE", error.to_string())
}

/// An event of a newer version.
pub(super) fn of_event(error: &UnreadableEvent) -> Status {
    precondition("EVENT_UNREADABLE", error.to_string())
}

pub(super) fn of_store(error: &StoreError) -> Status {
    tracing::error!(error = %ErrorChain(error), "the returns database failed a call");
    match error {
        StoreError::Database { .. } => status(
            Code::Unavailable,
            "RETURNS_DATABASE_UNAVAILABLE",
            "the returns database does not answer; call again",
            &[],
        ),
        StoreError::Unreadable { .. } | StoreError::Unusable(_) => status(
            Code::Internal,
            "RETURNS_DATABASE_UNREADABLE",
            format!("{error}; an operator must look"),
            &[],
        ),
    }
}

/// What the bucket refused, by its cause.
pub(super) fn of_bucket(error: &BucketError) -> Status {
    tracing::error!(%error, "the bucket failed a call");
    status(
        Code::Unavailable,
        "BUCKET_UNAVAILABLE",
        error.cause().headline(),
        &[],
    )
}

/// What is in the bucket is not what was written.
pub(super) fn data_loss(what: impl Into<String>) -> Status {
    status(Code::DataLoss, "REPORT_WRONG", what, &[])
}

pub(super) fn of_adopt(error: &AdoptError) -> Status {
    match error {
        AdoptError::Fits { .. } | AdoptError::NothingApplied(_) => {
            precondition("CURSOR_FITS", error.to_string())
        }
        AdoptError::Position(what) => invalid("position", what),
        AdoptError::Feed(FeedError::Store(error)) => of_store(error),
        AdoptError::Feed(FeedError::Adapter(error)) => of_adapter(error),
        AdoptError::Feed(error) => precondition("CANNOT_ADOPT", error.to_string()),
    }
}

pub(super) fn of_adapter(error: &AdapterError) -> Status {
    tracing::error!(error = %ErrorChain(error), "an adapter failed a call");
    match error {
        AdapterError::Status {
            database,
            address,
            call,
            ..
        } => status(
            Code::Unavailable,
            "ADAPTER_UNAVAILABLE",
            format!("{error}; check the adapter and its database, then call again"),
            &[("database", database), ("address", address), ("call", call)],
        ),
        AdapterError::Contract {
            database, address, ..
        } => status(
            Code::Internal,
            "ADAPTER_CONTRACT",
            error.to_string(),
            &[("database", database), ("address", address)],
        ),
    }
}

pub(super) fn of_decide(error: &DecideError) -> Status {
    match error {
        DecideError::Adapter(error) => of_adapter(error),
        DecideError::Store(error) => of_store(error),
    }
}

pub(super) fn of_receive(error: &ReceiveError) -> Status {
    match error {
        ReceiveError::TooLarge { limit_bytes } => status(
            Code::ResourceExhausted,
            "FILE_TOO_LARGE",
            error.to_string(),
            &[("limit_bytes", &limit_bytes.to_string())],
        ),
        ReceiveError::Spool(error) => {
            tracing::error!(error = %ErrorChain(error), "the spool failed a call");
            status(
                Code::Unavailable,
                "SPOOL_UNAVAILABLE",
                "the file could not be stored; check the spool folder and its disk, then send it again",
                &[],
            )
        }
        ReceiveError::Store(error) => of_store(error),
    }
}

/// What stopped a dry run.
pub(super) fn of_import(error: &ImportError) -> Status {
    match error {
        ImportError::Store(error) => of_store(error),
        ImportError::Decide(error) => of_decide(error),
        ImportError::Check(_)
        | ImportError::Read(_)
        | ImportError::Gone { .. }
        | ImportError::NoSource { .. }
        | ImportError::ReadsDifferently { .. } => {
            tracing::error!(error = %ErrorChain(error), "a dry run failed");
            status(
                Code::Unavailable,
                "DRY_RUN_FAILED",
                ErrorChain(error).to_string(),
                &[],
            )
        }
    }
}

pub(super) fn of_hold(error: &HoldError) -> Status {
    match error {
        HoldError::Store(error) => of_store(error),
        HoldError::Decide(error) => of_decide(error),
        HoldError::NoSource(name) => status(
            Code::FailedPrecondition,
            "SOURCE_NOT_CONFIGURED",
            error.to_string(),
            &[("source", name)],
        ),
        HoldError::NoRow(_) => status(
            Code::Internal,
            "JOURNAL_ROW_MISSING",
            error.to_string(),
            &[],
        ),
        HoldError::NoTransfer(_) => invalid("retry.transfer_id", error.to_string()),
    }
}

pub(super) fn of_incident(error: &OperateError) -> Status {
    match error {
        OperateError::NotFound(incident_id) => not_found("incident", incident_id),
        OperateError::Over { .. } => precondition("INCIDENT_CLOSED", error.to_string()),
        OperateError::Taken { .. } => precondition("INCIDENT_ACKNOWLEDGED", error.to_string()),
    }
}
