//! Names of tables and columns, as a mapping has them.

use std::fmt;
use std::str::FromStr;

use echeck_service::config::Section;

/// The longest name that no supported database cuts. PostgreSQL cuts at 63 bytes, and a name that
/// is cut could be another column.
const MAX_BYTES: usize = 63;

/// The name of a table or a column. Statements quote it, so any character is allowed except NUL,
/// which no database accepts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(String);

/// Why a text cannot be the name of a table or a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentifier {
    /// It is empty or blank.
    #[error("the name is empty")]
    Empty,
    /// No database accepts a NUL.
    #[error("the name {0:?} holds a NUL character")]
    Nul(String),
    /// PostgreSQL would cut it and might hit another column.
    #[error("the name {0:?} has {1} bytes; at most {MAX_BYTES} are allowed")]
    TooLong(String, usize),
}

impl Identifier {
    /// Parses the value of a key. A fault is recorded under the key; the placeholder given back is
    /// then never used.
    pub fn read(section: &Section<'_>, key: &str, name: &str) -> Self {
        name.parse().unwrap_or_else(|fault: BadIdentifier| {
            section.fault(key, fault.to_string());
            Self("unusable".to_owned())
        })
    }

    /// The name, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identifier {
    type Err = BadIdentifier;

    fn from_str(text: &str) -> Result<Self, BadIdentifier> {
        if text.trim().is_empty() {
            Err(BadIdentifier::Empty)
        } else if text.contains('\0') {
            Err(BadIdentifier::Nul(text.to_owned()))
        } else if text.len() > MAX_BYTES {
            Err(BadIdentifier::TooLong(text.to_owned(), text.len()))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_nul_and_overlong_names_are_refused() {
        assert_eq!("".parse::<Identifier>(), Err(BadIdentifier::Empty));
        assert_eq!("  ".parse::<Identifier>(), Err(BadIdentifier::Empty));
        assert!(matches!(
            "a\0b".parse::<Identifier>(),
            Err(BadIdentifier::Nul(_))
        ));
        assert!("x".repeat(63).parse::<Identifier>().is_ok());
        assert!(matches!(
            "ä".repeat(32).parse::<Identifier>(),
            Err(BadIdentifier::TooLong(_, 64))
        ));
    }
}
