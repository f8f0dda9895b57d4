//! The one table from the domain's errors to gRPC status. The caller gets what happened and what to
//! do; what only we need is in the log. Handlers use `?`.

use std::collections::HashMap;

use echeck_service::ErrorChain;
use returns_alerts::OperateError;
use returns_feed::settle::ReleaseError;
use returns_feed::{AdoptError, FeedError};
use returns_import::adapter::AdapterError;
use returns_import::decide::DecideError;
use returns_import::hold::HoldError;
use returns_import::{ImportError, ReceiveError, SpoolError};
use returns_model::endpoint::EndpointFault;
use returns_model::incident::clean::line;
use returns_model::keyring::KeyRingError;
use returns_model::plan::PlanFault;
use returns_reports::bucket::BucketError;
use returns_store::StoreError;
use returns_webhooks::KeyError;
use returns_webhooks::render::UnreadableEvent;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The longest text of an error, in characters. What a caller sent may be quoted in it, and an
/// answer's headers have little room.
const LONGEST_TEXT: usize = 1_000;

/// The longest id that anything has, in bytes.
const LONGEST_ID: usize = 256;

/// The domain of every reason below.
const DOMAIN: &str = "echeck-returns";

/// The error of a call. It is only made here, with a reason, so that every one carries
/// `google.rpc.ErrorInfo`.
#[derive(Debug, Clone)]
pub(super) struct ApiError(Status);

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        error.0
    }
}

impl ApiError {
    fn new(code: Code, reason: &str, message: impl Into<String>, facts: &[(&str, &str)]) -> Self {
        let metadata: HashMap<String, String> = facts
            .iter()
            .map(|(key, value)| ((*key).to_owned(), line(value, LONGEST_ID)))
            .collect();
        let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        let message: String = message.into();
        let message = line(&message, LONGEST_TEXT);
        Self(Status::with_error_details(code, message, details))
    }
}

impl ApiError {
    /// The reason in its `google.rpc.ErrorInfo`.
    pub(super) fn reason(&self) -> String {
        let info = self.0.get_details_error_info();
        info.map_or_else(|| format!("{:?}", self.0.code()), |info| info.reason)
    }

    /// Whether another transfer may be answered all the same.
    pub(super) fn is_about_one_transfer(&self) -> bool {
        matches!(self.0.code(), Code::NotFound | Code::FailedPrecondition)
    }

    /// What it says.
    pub(super) fn message(&self) -> &str {
        self.0.message()
    }
}

/// The id of a request was used before, with other arguments.
pub(super) fn request_reused(request_id: &str) -> ApiError {
    let what = format!(
        "request_id {request_id:?} was used for another call, or with other arguments; use a new one \
         for a new request"
    );
    already_exists("REQUEST_ID_USED", what)
}

/// A request took effect, and the process died before it answered.
pub(super) fn answer_lost(request_id: &str, position: u64) -> ApiError {
    let what = format!(
        "request {request_id:?} took effect, and its answer was lost when the service ended; record \
         {position} of the audit log has what it did"
    );
    precondition("ANSWER_LOST", what)
}

/// What was kept of an answer cannot be read.
pub(super) fn unreadable_answer(why: &str) -> ApiError {
    let what =
        format!("the answer that was kept cannot be read ({why}); look at what the call did");
    ApiError::new(Code::Internal, "ANSWER_UNREADABLE", what, &[])
}

/// An answer cannot be encrypted or decrypted.
pub(super) fn of_keys(error: &KeyRingError) -> ApiError {
    let what = format!("the answer to a request: {error}");
    ApiError::new(Code::Internal, "ANSWER_UNREADABLE", what, &[])
}

/// Somebody tries to approve what they have proposed.
pub(super) fn own_proposal(proposal_id: &str) -> ApiError {
    let what = "a proposal is approved by somebody else than whoever made it";
    let facts = [("proposal", proposal_id)];
    ApiError::new(Code::PermissionDenied, "OWN_PROPOSAL", what, &facts)
}

/// The stream that a caller sends has failed: the transport's own error.
pub(super) fn of_stream(status: Status) -> ApiError {
    ApiError(status)
}

/// Something was requested by an id that does not exist.
pub(super) fn not_found(what: &str, id: &str) -> ApiError {
    if id.len() > LONGEST_ID {
        let why = format!(
            "an id has at most {LONGEST_ID} bytes, and this one has {}",
            id.len()
        );
        return invalid(&format!("id of the {what}"), why);
    }
    let message = format!("there is no {what} {id:?}");
    let facts = [("resource", what), ("id", id)];
    ApiError::new(Code::NotFound, "NOT_FOUND", message, &facts)
}

/// An argument is wrong: the field, and what it should be.
pub(super) fn invalid(field: &str, what: impl Into<String>) -> ApiError {
    invalid_fields([(field.to_owned(), what.into())])
}

/// Arguments are wrong: every field that is, and what it should be.
fn invalid_fields(faults: impl IntoIterator<Item = (String, String)>) -> ApiError {
    let mut details = ErrorDetails::with_error_info("INVALID_ARGUMENT", DOMAIN, HashMap::new());
    let mut lines = Vec::new();
    for (field, what) in faults {
        let what = line(&what, LONGEST_TEXT);
        lines.push(format!("{field}: {what}"));
        details.add_bad_request_violation(field, what);
    }
    let message = line(&lines.join("; "), LONGEST_TEXT);
    ApiError(Status::with_error_details(
        Code::InvalidArgument,
        message,
        details,
    ))
}

/// The call is right, but not in the present state.
pub(super) fn precondition(reason: &str, what: impl Into<String>) -> ApiError {
    ApiError::new(Code::FailedPrecondition, reason, what, &[])
}

/// One of many is too long for what is left of the answer.
pub(super) fn answer_full(what: &str, id: &str) -> ApiError {
    let what = format!("the answer has no room for the {what} {id:?}; ask for it in another call");
    precondition("ANSWER_FULL", what)
}

/// The journal ends before a position.
pub(super) fn beyond_head(position: u64, head: u64) -> ApiError {
    let what = format!(
        "the journal ends at position {head}, before {position}: it was restored from a backup; \
         compare what you have, and follow it from where you agree"
    );
    let head = head.to_string();
    ApiError::new(
        Code::OutOfRange,
        "BEYOND_HEAD",
        what,
        &[("head_position", &head)],
    )
}

/// Something that the call needs is unavailable now.
fn unavailable(reason: &str, what: impl Into<String>) -> ApiError {
    ApiError::new(Code::Unavailable, reason, what, &[])
}

/// The service is stopping; the caller may ask another replica, or call again.
pub(super) fn stopping() -> ApiError {
    unavailable("STOPPING", "the service is stopping; call again")
}

/// The caller's deadline passed while the call waited.
pub(super) fn deadline_exceeded(what: &str) -> ApiError {
    ApiError::new(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", what, &[])
}

/// Somebody else changed the same thing since it was read.
pub(super) fn changed_meanwhile(what: &str) -> ApiError {
    let message = format!("somebody else changed the {what} meanwhile; read it and call again");
    ApiError::new(Code::Aborted, "CHANGED_MEANWHILE", message, &[])
}

/// Something else has the same key.
pub(super) fn already_exists(reason: &str, what: impl Into<String>) -> ApiError {
    ApiError::new(Code::AlreadyExists, reason, what, &[])
}

/// What is in the bucket is not what was written.
pub(super) fn data_loss(what: impl Into<String>) -> ApiError {
    ApiError::new(Code::DataLoss, "REPORT_WRONG", what, &[])
}

/// A schedule is wrong: every field of it that is, and what it should be.
impl From<Vec<PlanFault>> for ApiError {
    fn from(faults: Vec<PlanFault>) -> Self {
        let field = |fault: PlanFault| (format!("schedule.{}", fault.field), fault.what);
        invalid_fields(faults.into_iter().map(field))
    }
}

/// An endpoint's settings are wrong: every field that is, and what it should be.
impl From<Vec<EndpointFault>> for ApiError {
    fn from(faults: Vec<EndpointFault>) -> Self {
        let field = |fault: EndpointFault| (fault.field.to_owned(), fault.what);
        invalid_fields(faults.into_iter().map(field))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %ErrorChain(&error), "the returns database failed a call");
        match error {
            StoreError::Database { .. } => {
                let what = "the returns database does not answer; call again";
                unavailable("RETURNS_DATABASE_UNAVAILABLE", what)
            }
            StoreError::Unreadable { .. } | StoreError::Unusable(_) => {
                let what = format!("{error}; an operator must look");
                Self::new(Code::Internal, "RETURNS_DATABASE_UNREADABLE", what, &[])
            }
        }
    }
}

impl From<AdapterError> for ApiError {
    fn from(error: AdapterError) -> Self {
        tracing::error!(error = %ErrorChain(&error), "an adapter failed a call");
        let message = error.to_string();
        match error {
            AdapterError::Status {
                database,
                address,
                call,
                ..
            } => {
                let what =
                    format!("{message}; check the adapter and its database, then call again");
                let facts = [
                    ("database", &*database),
                    ("address", &address),
                    ("call", call),
                ];
                Self::new(Code::Unavailable, "ADAPTER_UNAVAILABLE", what, &facts)
            }
            AdapterError::Tls {
                database, address, ..
            } => {
                let facts = [("database", &*database), ("address", &address)];
                Self::new(Code::Unavailable, "ADAPTER_UNAVAILABLE", message, &facts)
            }
            AdapterError::Contract {
                database, address, ..
            } => {
                let facts = [("database", &*database), ("address", &address)];
                Self::new(Code::Internal, "ADAPTER_CONTRACT", message, &facts)
            }
        }
    }
}

/// What the bucket refused, by its cause.
impl From<BucketError> for ApiError {
    fn from(error: BucketError) -> Self {
        tracing::error!(%error, "the bucket failed a call");
        unavailable("BUCKET_UNAVAILABLE", error.cause().headline())
    }
}

/// A key of an endpoint cannot be used.
impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        tracing::error!(%error, "a key of an endpoint failed a call");
        precondition("KEY_UNREADABLE", error.to_string())
    }
}

/// An event of a newer version.
impl From<UnreadableEvent> for ApiError {
    fn from(error: UnreadableEvent) -> Self {
        precondition("EVENT_UNREADABLE", error.to_string())
    }
}

impl From<DecideError> for ApiError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Adapter(error) => error.into(),
            DecideError::Store(error) => error.into(),
        }
    }
}

impl From<ReceiveError> for ApiError {
    fn from(error: ReceiveError) -> Self {
        let what = error.to_string();
        match error {
            ReceiveError::TooLarge { limit_bytes } => {
                let limit = limit_bytes.to_string();
                let facts = [("limit_bytes", &*limit)];
                Self::new(Code::ResourceExhausted, "FILE_TOO_LARGE", what, &facts)
            }
            ReceiveError::Spool(error @ SpoolError::Full { .. }) => {
                tracing::error!(error = %ErrorChain(&error), "the spool failed a call");
                let what = "there is no room to store the file; free space on the disk of the \
                            spool, then send it again";
                Self::new(Code::ResourceExhausted, "SPOOL_FULL", what, &[])
            }
            ReceiveError::Spool(error) => {
                tracing::error!(error = %ErrorChain(&error), "the spool failed a call");
                let what = "the file could not be stored; check the spool folder and its disk, \
                            then send it again";
                unavailable("SPOOL_UNAVAILABLE", what)
            }
            ReceiveError::Store(error) => error.into(),
            ReceiveError::Cut => stopping(),
        }
    }
}

/// What stopped a dry run.
impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Decide(error) => error.into(),
            ImportError::Check(_)
            | ImportError::Read(_)
            | ImportError::Gone { .. }
            | ImportError::NoSource { .. }
            | ImportError::ReadsDifferently { .. } => {
                let what = ErrorChain(&error).to_string();
                tracing::error!(error = what, "a dry run failed");
                unavailable("DRY_RUN_FAILED", what)
            }
        }
    }
}

impl From<AdoptError> for ApiError {
    fn from(error: AdoptError) -> Self {
        match error {
            AdoptError::Fits { .. } | AdoptError::NothingApplied(_) => {
                precondition("CURSOR_FITS", error.to_string())
            }
            AdoptError::Position(what) => invalid("position", what),
            AdoptError::Feed(FeedError::Store(error)) => error.into(),
            AdoptError::Feed(FeedError::Adapter(error)) => error.into(),
            AdoptError::Feed(error) => precondition("CANNOT_ADOPT", error.to_string()),
        }
    }
}

/// A transfer that cannot be released to settlement.
impl From<ReleaseError> for ApiError {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::Store(error) => error.into(),
            ReleaseError::NotMade(id) => not_found("reversal or restoration", &id),
            ReleaseError::NotApplied { .. } => precondition("NOT_APPLIED", error.to_string()),
            ReleaseError::WithoutEffect { .. } | ReleaseError::NotTaken { .. } => {
                precondition("WITHOUT_EFFECT", error.to_string())
            }
        }
    }
}

impl From<HoldError> for ApiError {
    fn from(error: HoldError) -> Self {
        let what = error.to_string();
        match error {
            HoldError::Store(error) => error.into(),
            HoldError::Decide(error) => error.into(),
            HoldError::NoSource(name) => {
                let facts = [("source", &*name)];
                Self::new(
                    Code::FailedPrecondition,
                    "SOURCE_NOT_CONFIGURED",
                    what,
                    &facts,
                )
            }
            HoldError::NoRow(_) => Self::new(Code::Internal, "JOURNAL_ROW_MISSING", what, &[]),
            HoldError::NoTransfer(_) => invalid("retry_hold.transfer_id", what),
        }
    }
}

impl From<OperateError> for ApiError {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::NotFound(incident_id) => not_found("incident", &incident_id),
            OperateError::Over { .. } => precondition("INCIDENT_CLOSED", error.to_string()),
            OperateError::Taken { .. } => precondition("INCIDENT_ACKNOWLEDGED", error.to_string()),
        }
    }
}
