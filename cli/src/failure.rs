//! Why a command failed, and how that is said: a sentence, or with `--json` an object. docs/json.md
//! describes it.

use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::exit;
use crate::output::{print_error, print_json_error};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service is unavailable.
    Unreachable {
        /// Its address.
        server: String,
        /// What the system said.
        why: String,
    },
    /// The service answered with an error.
    Status(Box<Status>),
    /// A fault on this side.
    Local(anyhow::Error),
    /// The command line cannot be understood.
    Usage(String),
    /// Somebody interrupted the command.
    Interrupted,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Local(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Local(error.into())
    }
}

impl Failure {
    /// The exit code for it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::Local(_) => exit::FAILED,
            Self::Usage(_) => exit::USAGE,
            Self::Interrupted => exit::INTERRUPTED,
            Self::Status(status) => match status.code() {
                Code::NotFound => exit::NOT_FOUND,
                // The client's own timer says CANCELLED for the same thing.
                Code::DeadlineExceeded | Code::Cancelled => exit::DEADLINE,
                _ => exit::FAILED,
            },
        }
    }

    /// Says on standard error what happened. Returns the exit code.
    pub(crate) fn print(&self, as_json: bool) -> u8 {
        let code = self.code();
        if as_json {
            print_json_error(&self.object(code));
        } else {
            match self.reason() {
                reason if reason.is_empty() => print_error(&self.message()),
                reason => print_error(&format!("{} [{reason}]", self.message())),
            }
        }
        code
    }

    fn object(&self, exit_code: u8) -> Value {
        json!({
            "error": {
                "kind": self.kind(),
                "reason": self.reason(),
                "message": self.message(),
                "exit_code": exit_code,
            },
        })
    }

    /// What failed: the name of a gRPC code, or what went wrong before there was an answer.
    fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Local(_) => "failed",
            Self::Usage(_) => "usage",
            Self::Interrupted => "interrupted",
            Self::Status(status) => match status.code() {
                Code::Ok => "ok",
                Code::Cancelled => "cancelled",
                Code::Unknown => "unknown",
                Code::InvalidArgument => "invalid_argument",
                Code::DeadlineExceeded => "deadline_exceeded",
                Code::NotFound => "not_found",
                Code::AlreadyExists => "already_exists",
                Code::PermissionDenied => "permission_denied",
                Code::ResourceExhausted => "resource_exhausted",
                Code::FailedPrecondition => "failed_precondition",
                Code::Aborted => "aborted",
                Code::OutOfRange => "out_of_range",
                Code::Unimplemented => "unimplemented",
                Code::Internal => "internal",
                Code::Unavailable => "unavailable",
                Code::DataLoss => "data_loss",
                Code::Unauthenticated => "unauthenticated",
            },
        }
    }

    /// The reason of the service's error, such as `NOT_REPORTED_YET`; empty for other failures.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Status(status) => {
                let info = status.get_details_error_info();
                info.map_or_else(String::new, |info| info.reason)
            }
            Self::Unreachable { .. } | Self::Local(_) | Self::Usage(_) | Self::Interrupted => {
                String::new()
            }
        }
    }

    /// What happened, in a sentence.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Unreachable { server, why } => format!(
                "no service is available at {server} ({why}); start `echeck up`, or name the \
                 service with --server"
            ),
            Self::Status(status) => status.message().to_owned(),
            Self::Local(error) => format!("{error:#}"),
            Self::Usage(why) => why.clone(),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }
}

/// That the service left out what it promises to send.
pub(crate) fn missing(what: &str) -> Failure {
    Failure::Local(anyhow::anyhow!("the service sent no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_an_object_with_the_exit_code() {
        let failure = Failure::Local(anyhow::anyhow!("the disk is full"));
        assert_eq!(
            failure.object(failure.code()).to_string(),
            r#"{"error":{"kind":"failed","reason":"","message":"the disk is full","exit_code":1}}"#
        );
        let usage = Failure::Usage("what?".to_owned());
        assert_eq!(usage.object(usage.code())["error"]["exit_code"], 64);
    }
}
