//! Credentials that may be rotated while the service runs: one that is in a file is read again
//! whenever it is needed.

use std::path::PathBuf;

use echeck_service::config::Section;
use echeck_service::privacy;
use secrecy::SecretString;

use super::error::SourceError;

/// A secret of the configuration. Printing it prints where it is, never what it is.
#[derive(Debug, Clone)]
pub(crate) struct StoredSecret {
    key: &'static str,
    location: SecretLocation,
}

#[derive(Debug, Clone)]
enum SecretLocation {
    Configuration(SecretString),
    File(PathBuf),
}

impl StoredSecret {
    /// The secret under `key`, or in the file that `key` with `_file` after it names. The file
    /// is read once here, so that a missing one is a fault of the configuration.
    pub(super) fn read(section: &Section<'_>, key: &'static str) -> Option<Self> {
        let secret = section.secret(key)?;
        let location = match section.optional_string(&format!("{key}_file")) {
            Some(file) => SecretLocation::File(file.into()),
            None => SecretLocation::Configuration(secret),
        };
        Some(Self { key, location })
    }

    /// A secret that is known already.
    #[cfg(test)]
    pub(crate) fn fixed(key: &'static str, secret: &str) -> Self {
        Self {
            key,
            location: SecretLocation::Configuration(SecretString::from(secret)),
        }
    }

    /// The secret as it is now.
    pub(super) fn now(&self) -> Result<SecretString, SourceError> {
        match &self.location {
            SecretLocation::Configuration(secret) => Ok(secret.clone()),
            SecretLocation::File(file) => {
                privacy::read_secret(file).map_err(|why| self.unusable(why))
            }
        }
    }

    /// A fault in what the secret says.
    pub(super) fn unusable(&self, why: impl Into<String>) -> SourceError {
        SourceError::Credential {
            key: self.key,
            why: why.into(),
        }
    }
}
