//! What is wrong with a configuration: every fault, each under the key that has to change.

use std::fmt;

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigFault {
    /// The key as written in the file, such as `sources.worldpay.format`; empty when the fault
    /// does not belong to one key.
    pub key: String,
    /// What is wrong, and where the key is set. Never holds a secret.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.key, self.message)
        }
    }
}

/// Every fault of a configuration, one per line when shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The faults in the order in which they were found; at least one.
    pub faults: Vec<ConfigFault>,
}

impl ConfigError {
    pub(super) fn single(message: impl Into<String>) -> Self {
        Self {
            faults: vec![ConfigFault {
                key: String::new(),
                message: message.into(),
            }],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration has faults:")?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
