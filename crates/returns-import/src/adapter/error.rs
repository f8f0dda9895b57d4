//! What can go wrong with an adapter, and what that says about its target.

use std::collections::BTreeMap;

use returns_model::incident::Cause;
use tonic::Code;
use tonic_types::StatusExt as _;

/// What can go wrong with an adapter.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// It does not answer, or answers with an error.
    #[error("the adapter of {database} at {address} answered {} to {call}: {}", .status.code(), why(.status))]
    Status {
        database: String,
        address: String,
        call: &'static str,
        status: Box<tonic::Status>,
    },
    /// TLS cannot be spoken with it.
    #[error("no connection to the adapter of {database} at {address}: {why}")]
    Tls {
        database: String,
        address: String,
        why: String,
    },
    /// It answered something that the contract does not allow.
    #[error("the adapter of {database} at {address} sent what the contract does not allow: {what}")]
    Contract {
        database: String,
        address: String,
        what: String,
    },
}

/// How much of what an adapter says of one step is kept.
const MAX_WHY_CHARS: usize = 500;

/// The domain of the reasons that adapters give, and those for a target without writes, and for one
/// in which another session has locked a row.
const REASONS: &str = "echeck-adapter";
const READ_ONLY: &str = "TARGET_READ_ONLY";
const BUSY: &str = "TARGET_BUSY";
const ANOTHER: &str = "TARGET_MISMATCH";
/// What says that the cursor that a batch continues is not the target's.
const MOVED: [&str; 4] = [
    ANOTHER,
    "CURSOR_MISMATCH",
    "HASH_MISMATCH",
    "JOURNAL_MISMATCH",
];

impl AdapterError {
    /// Whether its answer, or what was sent, was larger than a message may be.
    pub(super) fn is_too_large(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                status.code() == Code::OutOfRange && status.get_details_error_info().is_none()
            }
            Self::Tls { .. } | Self::Contract { .. } => false,
        }
    }

    /// What is wrong, for people: the adapter itself, or its target. `leads` says whether that is
    /// the system of record.
    pub fn cause(&self, leads: bool) -> Cause {
        match self {
            Self::Contract { database, .. } => Cause::TargetFailed {
                database: database.clone(),
                leads,
                why: self.to_string(),
            },
            Self::Tls { database, why, .. } => Cause::AdapterUnreachable {
                database: database.clone(),
                leads,
                why: why.clone(),
            },
            Self::Status {
                database, status, ..
            } => {
                let database = database.clone();
                let why = why(status);
                let failed = |database, why| Cause::TargetFailed {
                    database,
                    leads,
                    why,
                };
                match status.get_details_error_info() {
                    Some(info) if info.domain == REASONS && info.reason == READ_ONLY => {
                        Cause::TargetReadOnly { database, leads }
                    }
                    Some(info) if info.domain == REASONS && info.reason == ANOTHER => {
                        let target = info.metadata.get("target").cloned();
                        Cause::TargetForeign {
                            database,
                            leads,
                            target: target.unwrap_or_default(),
                            why,
                        }
                    }
                    None if no_answer(status.code()) => Cause::AdapterUnreachable {
                        database,
                        leads,
                        why,
                    },
                    Some(_) | None => failed(database, why),
                }
            }
        }
    }

    /// The steps of a batch that the adapter cannot read, by their place in it, and why: what it
    /// says of the change in a step. That positions or hashes are wrong is no fault of a row.
    pub fn unreadable_steps(&self) -> BTreeMap<usize, String> {
        let Self::Status { status, .. } = self else {
            return BTreeMap::new();
        };
        let details = status.get_details_bad_request();
        let violations = details.map(|details| details.field_violations);
        let mut steps: BTreeMap<usize, String> = BTreeMap::new();
        for violation in violations.unwrap_or_default() {
            if let Some((at, field)) = change_of_step(&violation.field) {
                let why = format!("{field} {}", violation.description);
                // One reason is enough.
                let kept = why.chars().take(MAX_WHY_CHARS);
                steps.entry(at).or_insert_with(|| kept.collect());
            }
        }
        steps
    }

    /// Whether the adapter or its target is unavailable, and does not only refuse this call.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Contract { .. } => false,
            Self::Tls { .. } => true,
            Self::Status { status, .. } => match status.get_details_error_info() {
                Some(info) => {
                    let of_target = [BUSY, ANOTHER].contains(&info.reason.as_str());
                    status.code() == Code::Unavailable || of_target
                }
                None => no_answer(status.code()),
            },
        }
    }

    /// Whether the target is not where the batch continues, or not the one that is meant. It is to
    /// be read again.
    pub fn is_mismatch(&self) -> bool {
        let Self::Status { status, .. } = self else {
            return false;
        };
        let info = status.get_details_error_info();
        info.is_some_and(|info| info.domain == REASONS && MOVED.contains(&info.reason.as_str()))
    }

    /// Whether another session has locked what is needed. That passes by itself, most of the time.
    pub fn is_busy(&self) -> bool {
        let Self::Status { status, .. } = self else {
            return false;
        };
        let info = status.get_details_error_info();
        info.is_some_and(|info| info.domain == REASONS && info.reason == BUSY)
    }
}

/// Reads `steps[3].fail_transfer.transfer_id` as the step and the field of its change.
fn change_of_step(field: &str) -> Option<(usize, &str)> {
    let (at, field) = field.strip_prefix("steps[")?.split_once("].")?;
    let about_row = ["position", "row_hash", "blocked_reason"].contains(&field);
    Some((at.parse().ok()?, field)).filter(|_| !about_row)
}

/// What a status says, with what is behind it, such as that a connection was refused.
fn why(status: &tonic::Status) -> String {
    let mut why = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let said = error.to_string();
        if !why.contains(&said) {
            why = format!("{why}: {said}");
        }
        source = error.source();
    }
    why
}

/// Whether a status without a reason says that nobody answered. The client's own timer says
/// CANCELLED, and a connection that breaks off is UNKNOWN or INTERNAL to it.
fn no_answer(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
    )
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "an adapter that another team wrote may leave the reason out"
)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use tonic::Status;
    use tonic_types::ErrorDetails;

    use super::*;
    use crate::adapter::{Adapter, AdapterLimits};

    fn error(status: Status) -> AdapterError {
        let address = "http://127.0.0.1:1";
        let limits = AdapterLimits {
            timeout: Duration::from_secs(1),
            max_message_bytes: 99,
        };
        let adapter = Adapter::new(("gateway", uuid::Uuid::nil()), address, None, limits);
        adapter.unwrap().status("ApplyUpdates", status)
    }

    fn with_reason(code: Code, reason: &str) -> AdapterError {
        let details = ErrorDetails::with_error_info(reason, REASONS, HashMap::new());
        error(Status::with_error_details(code, "why", details))
    }

    #[tokio::test]
    async fn the_cause_of_an_adapters_error_is_the_adapter_or_its_target() {
        let (outage, refusal) = (true, false);
        for (error, kind, is_outage) in [
            (
                error(Status::unavailable("x")),
                "ADAPTER_UNREACHABLE",
                outage,
            ),
            (
                error(Status::cancelled("Timeout expired")),
                "ADAPTER_UNREACHABLE",
                outage,
            ),
            (error(Status::unimplemented("x")), "TARGET_FAILED", refusal),
            (
                with_reason(Code::Unavailable, "TARGET_READ_ONLY"),
                "TARGET_READ_ONLY",
                outage,
            ),
            (
                with_reason(Code::Unavailable, "TARGET_UNAVAILABLE"),
                "TARGET_FAILED",
                outage,
            ),
            (
                with_reason(Code::Aborted, "TARGET_BUSY"),
                "TARGET_FAILED",
                outage,
            ),
            (
                with_reason(Code::FailedPrecondition, "MAPPING_FAULT"),
                "TARGET_FAILED",
                refusal,
            ),
        ] {
            assert_eq!(error.cause(true).kind(), kind, "{error}");
            assert_eq!(error.is_outage(), is_outage, "{error}");
        }
    }
}
