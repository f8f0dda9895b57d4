//! What callers see of an error: the one table from our errors to gRPC statuses.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::adopt::AdoptError;
use crate::apply::{ApplyError, FitError};
use crate::batch::Violation;
use crate::cursor::Mismatch;
use crate::dialect::DbError;
use crate::mapping::LookupError;

/// The domain of every reason below.
pub const DOMAIN: &str = "echeck-adapter";

fn status(code: Code, reason: &str, message: String, metadata: HashMap<String, String>) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, message, details)
}

/// `INVALID_ARGUMENT` with the fields that are wrong.
#[must_use]
pub fn invalid(violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::with_error_info("INVALID_REQUEST", DOMAIN, HashMap::new());
    for violation in violations {
        details.add_bad_request_violation(&violation.field, &violation.what);
    }
    let told: Vec<String> = violations
        .iter()
        .map(|v| format!("{} {}", v.field, v.what))
        .collect();
    Status::with_error_details(Code::InvalidArgument, told.join("; "), details)
}

impl From<DbError> for Status {
    fn from(error: DbError) -> Self {
        let (code, reason) = match error {
            DbError::Unavailable(_) => (Code::Unavailable, "TARGET_UNAVAILABLE"),
            DbError::ReadOnly(_) => (Code::Unavailable, "TARGET_READ_ONLY"),
            DbError::Conflict(_) => (Code::Aborted, "TARGET_BUSY"),
            DbError::Refused(_) => (Code::FailedPrecondition, "TARGET_REFUSED"),
        };
        status(code, reason, error.to_string(), HashMap::new())
    }
}

impl From<FitError> for Status {
    fn from(error: FitError) -> Self {
        match error {
            FitError::Db(error) => error.into(),
            FitError::Misfit(_) => {
                let message = error.to_string();
                status(
                    Code::FailedPrecondition,
                    "MAPPING_FAULT",
                    message,
                    HashMap::new(),
                )
            }
        }
    }
}

impl From<ApplyError> for Status {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Db(error) => error.into(),
            ApplyError::Fit(error) => error.into(),
            ApplyError::Mismatch(mismatch) => {
                let reason = match mismatch {
                    Mismatch::Journal { .. } => "JOURNAL_MISMATCH",
                    Mismatch::Position { .. } => "CURSOR_MISMATCH",
                    Mismatch::Hash { .. } => "HASH_MISMATCH",
                };
                let message = mismatch.to_string();
                status(
                    Code::FailedPrecondition,
                    reason,
                    message,
                    where_it_is(&mismatch),
                )
            }
        }
    }
}

impl From<AdoptError> for Status {
    fn from(error: AdoptError) -> Self {
        match error {
            AdoptError::Db(error) => error.into(),
            AdoptError::Moved { .. } => status(
                Code::FailedPrecondition,
                "CURSOR_MISMATCH",
                error.to_string(),
                HashMap::new(),
            ),
        }
    }
}

fn where_it_is(mismatch: &Mismatch) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    if let Some(cursor) = mismatch.cursor() {
        metadata.insert("cursor_journal_id".to_owned(), cursor.journal.to_string());
        metadata.insert("cursor_position".to_owned(), cursor.position.to_string());
        metadata.insert("cursor_hash".to_owned(), cursor.hash.to_hex());
    }
    metadata
}

impl From<LookupError> for Status {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Db(error) => error.into(),
            LookupError::Unsupported => status(
                Code::Unimplemented,
                "NO_LOOKUP",
                error.to_string(),
                HashMap::new(),
            ),
            LookupError::NotMapped { kind, .. } => {
                let metadata = HashMap::from([("kind".to_owned(), kind.as_str().to_owned())]);
                status(
                    Code::InvalidArgument,
                    "KEY_NOT_MAPPED",
                    error.to_string(),
                    metadata,
                )
            }
        }
    }
}
