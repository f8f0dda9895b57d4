//! What happens too often to be recorded each time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often a kind is recorded at most.
const BETWEEN_RECORDS: Duration = Duration::from_secs(60);

/// More kinds than this are not told apart: what is counted was chosen by callers.
const MOST_KINDS: usize = 10_000;

/// Lets the first of a kind in a minute through, and counts the others.
#[derive(Debug)]
pub struct FirstOfAKind<K>(Mutex<HashMap<K, Seen>>);

#[derive(Debug)]
struct Seen {
    recorded: Instant,
    since: u64,
}

impl<K> Default for FirstOfAKind<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> FirstOfAKind<K> {
    /// Notes that something of a kind happened. When it is the first in a minute: how many there were
    /// since the one before that was let through.
    pub fn note(&self, kind: K) -> Option<u64> {
        self.note_at(kind, Instant::now())
    }

    fn note_at(&self, kind: K, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() >= MOST_KINDS {
            kinds.retain(|_, seen| now - seen.recorded < BETWEEN_RECORDS);
        }
        if let Some(seen) = kinds.get_mut(&kind) {
            if now - seen.recorded < BETWEEN_RECORDS {
                seen.since += 1;
                return None;
            }
            seen.recorded = now;
            return Some(std::mem::take(&mut seen.since));
        }
        if kinds.len() >= MOST_KINDS {
            return None;
        }
        let seen = Seen {
            recorded: now,
            since: 0,
        };
        kinds.insert(kind, seen);
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_kind_in_a_minute_is_let_through_with_how_many_were_not() {
        let limited = FirstOfAKind::default();
        let start = Instant::now();
        assert_eq!(limited.note_at("a", start), Some(0));
        assert_eq!(limited.note_at("b", start), Some(0));
        assert_eq!(limited.note_at("a", start), None);
        assert_eq!(limited.note_at("a", start), None);
        let later = start + Duration::from_secs(61);
        assert_eq!(limited.note_at("a", later), Some(2));
        assert_eq!(limited.note_at("a", later), None);
    }
}
