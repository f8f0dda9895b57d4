//! Diagnosis: what works and what does not, each looked at by itself, timed, with what was
//! seen. It changes nothing but a marker in the bucket, which it deletes again.

use std::time::Duration;

use crate::incident::Cause;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// What was looked at, such as `host name`.
    pub(crate) name: &'static str,
    /// Of what, such as `sftp.worldpay.example:22`.
    pub(crate) of: String,
    pub(crate) result: CheckResult,
    pub(crate) took: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CheckResult {
    /// It works; what was seen.
    Passed(String),
    /// It does not work, and why.
    Failed(Cause),
    /// It was not looked at, because of what failed before, or because it is not configured.
    Skipped(String),
}
