//! Positions and hashes.

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ids::hex;

/// The hash of a journal row. Before the first row it is empty.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Hash(Vec<u8>);

impl Hash {
    /// A hash that was read.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The end of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The journal's identity, drawn when its database was made.
    pub journal_id: Uuid,
    /// The position of the last row; 0 when there is none.
    pub position: u64,
    /// The hash of the last row.
    pub hash: Hash,
}

/// The hash of the row at `position`, which was recorded at `at`, and whose predecessor has the
/// hash `previous`. The time counts in microseconds, as every database holds it.
pub fn chain(
    journal_id: Uuid,
    position: u64,
    previous: &Hash,
    at: DateTime<Utc>,
    payload: &str,
) -> Hash {
    chained(
        b"echeck journal 2\0",
        journal_id,
        position,
        previous,
        (at, payload),
    )
}

/// The hash of what follows `previous` in a chain. `domain` tells one chain from another.
pub(crate) fn chained(
    domain: &[u8],
    journal_id: Uuid,
    position: u64,
    previous: &Hash,
    (at, payload): (DateTime<Utc>, &str),
) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(domain);
    hasher.update(journal_id.as_bytes());
    hasher.update(position.to_be_bytes());
    hasher.update((previous.0.len() as u64).to_be_bytes());
    hasher.update(&previous.0);
    hasher.update(at.timestamp_micros().to_be_bytes());
    hasher.update(payload.as_bytes());
    Hash(hasher.finalize().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_journal_position_past_time_and_payload() {
        let (start, at) = (Hash::default(), DateTime::UNIX_EPOCH);
        let later = at + chrono::Duration::microseconds(1);
        let base = chain(Uuid::from_u128(1), 1, &start, at, "a");
        assert_eq!(base, chain(Uuid::from_u128(1), 1, &start, at, "a"));
        assert_ne!(base, chain(Uuid::from_u128(2), 1, &start, at, "a"));
        assert_ne!(base, chain(Uuid::from_u128(1), 2, &start, at, "a"));
        assert_ne!(base, chain(Uuid::from_u128(1), 1, &base, at, "a"));
        assert_ne!(base, chain(Uuid::from_u128(1), 1, &start, later, "a"));
        assert_ne!(base, chain(Uuid::from_u128(1), 1, &start, at, "b"));
    }
}
