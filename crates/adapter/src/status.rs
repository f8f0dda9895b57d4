//! What callers see of an error: the one table from our errors to gRPC statuses.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::adopt::AdoptionRefused;
use crate::apply::ApplyError;
use crate::batch::Violation;
use crate::cursor::CursorMismatch;
use crate::dialect::DbError;
use crate::fit::FitError;
use crate::identity::{ClaimRefused, IdentityMismatch};
use crate::mapping::LookupError;

/// The domain of every reason below.
const DOMAIN: &str = "echeck-adapter";

fn status(code: Code, reason: &str, error: &dyn std::error::Error) -> Status {
    with_metadata(code, reason, error, HashMap::new())
}

fn with_metadata(
    code: Code,
    reason: &str,
    error: &dyn std::error::Error,
    metadata: HashMap<String, String>,
) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(code, error.to_string(), details)
}

/// `INVALID_ARGUMENT` with the fields that are wrong.
pub(crate) fn invalid(violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::with_error_info("INVALID_REQUEST", DOMAIN, HashMap::new());
    for violation in violations {
        details.add_bad_request_violation(&violation.field, &violation.what);
    }
    let sentences: Vec<String> = violations
        .iter()
        .map(|violation| format!("{} {}", violation.field, violation.what))
        .collect();
    Status::with_error_details(Code::InvalidArgument, sentences.join("; "), details)
}

impl From<DbError> for Status {
    fn from(error: DbError) -> Self {
        let (code, reason) = match error {
            DbError::Unavailable(_) => (Code::Unavailable, "TARGET_UNAVAILABLE"),
            DbError::ReadOnly(_) => (Code::Unavailable, "TARGET_READ_ONLY"),
            DbError::Conflict(_) => (Code::Aborted, "TARGET_BUSY"),
            DbError::Refused(_) => (Code::FailedPrecondition, "TARGET_REFUSED"),
        };
        status(code, reason, &error)
    }
}

/// The target is not the one that is meant.
pub(crate) fn another_target(
    mismatch: &IdentityMismatch,
    metadata: HashMap<String, String>,
) -> Status {
    with_metadata(
        Code::FailedPrecondition,
        "TARGET_MISMATCH",
        mismatch,
        metadata,
    )
}

impl From<FitError> for Status {
    fn from(error: FitError) -> Self {
        match error {
            FitError::Db(error) => error.into(),
            FitError::Misfit(_) => status(Code::FailedPrecondition, "MAPPING_FAULT", &error),
        }
    }
}

impl From<ApplyError> for Status {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Db(error) => error.into(),
            ApplyError::Fit(error) => error.into(),
            ApplyError::Mismatch(mismatch) => mismatch.into(),
            ApplyError::Identity(mismatch) => another_target(&mismatch, HashMap::new()),
        }
    }
}

impl From<ClaimRefused> for Status {
    fn from(error: ClaimRefused) -> Self {
        match error {
            ClaimRefused::Db(error) => error.into(),
            ClaimRefused::Moved(_) => status(Code::FailedPrecondition, "CURSOR_MISMATCH", &error),
        }
    }
}

impl From<CursorMismatch> for Status {
    fn from(mismatch: CursorMismatch) -> Self {
        let reason = match mismatch {
            CursorMismatch::Journal { .. } => "JOURNAL_MISMATCH",
            CursorMismatch::Position { .. } => "CURSOR_MISMATCH",
            CursorMismatch::Hash { .. } => "HASH_MISMATCH",
        };
        let metadata = mismatch.cursor().map_or_else(HashMap::new, |cursor| {
            HashMap::from([
                ("cursor_journal_id".to_owned(), cursor.journal.to_string()),
                ("cursor_position".to_owned(), cursor.position.to_string()),
                ("cursor_hash".to_owned(), cursor.hash.to_hex()),
            ])
        });
        with_metadata(Code::FailedPrecondition, reason, &mismatch, metadata)
    }
}

impl From<AdoptionRefused> for Status {
    fn from(error: AdoptionRefused) -> Self {
        match error {
            AdoptionRefused::Db(error) => error.into(),
            AdoptionRefused::Moved { .. } => {
                status(Code::FailedPrecondition, "CURSOR_MISMATCH", &error)
            }
        }
    }
}

impl From<LookupError> for Status {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Db(error) => error.into(),
            LookupError::Unsupported => status(Code::Unimplemented, "NO_LOOKUP", &error),
            LookupError::NotMapped { kind, .. } => {
                let metadata = HashMap::from([("kind".to_owned(), kind.as_str().to_owned())]);
                with_metadata(Code::InvalidArgument, "KEY_NOT_MAPPED", &error, metadata)
            }
        }
    }
}
