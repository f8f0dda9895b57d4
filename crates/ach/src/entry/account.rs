//! Account numbers, of which only the last digits get past a reader.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The last digits of an account number. A reader drops the number itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountTail(String);

impl AccountTail {
    /// Keeps at most four characters of `account`, and never more than half of it.
    /// Blank input gives `None`.
    pub fn of(account: &str) -> Option<Self> {
        Self::last(account, |length| (length / 2).min(4))
    }

    /// Takes the last digits that a file gives alone, or behind a mask of its own. It keeps at
    /// most four of them. Blank input gives `None`.
    pub fn of_suffix(suffix: &str) -> Option<Self> {
        Self::last(suffix, |length| length.min(4))
    }

    fn last(text: &str, kept: impl Fn(usize) -> usize) -> Option<Self> {
        let characters = || text.chars().filter(char::is_ascii_alphanumeric);
        let length = characters().count();
        (length > 0).then(|| Self(characters().skip(length - kept(length)).collect()))
    }
}

/// Shows `***6789`.
impl fmt::Display for AccountTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "***{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_tail_never_shows_more_than_half() {
        assert_eq!(AccountTail::of("123456789").unwrap().to_string(), "***6789");
        assert_eq!(AccountTail::of("12345").unwrap().to_string(), "***45");
        assert_eq!(AccountTail::of("1").unwrap().to_string(), "***");
        assert_eq!(AccountTail::of("  12-34 "), AccountTail::of("1234"));
        assert_eq!(AccountTail::of("   "), None);
    }

    #[test]
    fn an_account_suffix_keeps_at_most_four_digits() {
        assert_eq!(AccountTail::of_suffix("089").unwrap().to_string(), "***089");
        assert_eq!(
            AccountTail::of_suffix("123456789").unwrap().to_string(),
            "***6789"
        );
        assert_eq!(AccountTail::of_suffix(" "), None);
    }
}
