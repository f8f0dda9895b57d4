//! One thing that was checked, and what came of it.

use std::time::Duration;

use crate::incident::Cause;

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked, such as `host name`.
    pub name: &'static str,
    /// Which one, such as `sftp.worldpay.example:22`.
    pub of: String,
    pub result: CheckResult,
    pub took: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// It is available; what was seen.
    Passed(String),
    /// It is not available, and why.
    Failed(Cause),
    /// It was not checked, because of what failed before, or because it is not configured.
    Skipped(String),
}

impl Check {
    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<&Cause> {
        match &self.result {
            CheckResult::Failed(cause) => Some(cause),
            CheckResult::Passed(_) | CheckResult::Skipped(_) => None,
        }
    }
}

/// What was found when everything that has to do with a problem was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    pub checks: Vec<Check>,
    /// A likelier cause than the observed one.
    pub headline_cause: Option<Cause>,
    /// The money at stake, in words.
    pub stake: Option<String>,
    /// When the data expires at the acquirer, in words.
    pub expires: Option<String>,
    /// The last good run, in words.
    pub last_good: Option<String>,
    /// The command that tries again.
    pub command: Option<String>,
}

/// A count for people: `1 entry`, `2 entries`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
