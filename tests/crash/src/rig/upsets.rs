//! When something happened to a returns service or to its database. A report that was put into
//! the bucket and never recorded is right only where such a moment explains it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A process is gone a little before that is seen, and a file system rounds times.
const SLACK: Duration = Duration::from_millis(100);

/// The time as the file system has it, which the times of objects are compared with.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the moments of real processes, compared with the times of real files"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// The moments, each from when to when.
#[derive(Default)]
pub struct Upsets(Mutex<Vec<(SystemTime, SystemTime)>>);

impl Upsets {
    /// Notes something that happens just now.
    pub fn note_now(&self) {
        let now = now();
        self.note(now, now);
    }

    /// Notes something that took a while.
    pub fn note(&self, from: SystemTime, to: SystemTime) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((from, to));
    }

    /// Whether something happened between two moments, in whichever order they are given.
    #[must_use]
    pub fn between(&self, one: SystemTime, other: SystemTime) -> bool {
        let (first, last) = (one.min(other) - SLACK, one.max(other) + SLACK);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|(from, to)| *from <= last && *to >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_between_the_two_moments_explains_anything() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let upsets = Upsets::default();
        upsets.note(at(10), at(12));
        assert!(upsets.between(at(5), at(11)));
        assert!(upsets.between(at(11), at(5)));
        assert!(upsets.between(at(12), at(20)));
        assert!(!upsets.between(at(13), at(20)));
        assert!(!upsets.between(at(1), at(9)));
    }
}
