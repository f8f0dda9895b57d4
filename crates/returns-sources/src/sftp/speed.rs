//! How fast bytes come, over the last while. Only the time spent waiting for them counts: a
//! slow disk of ours is not the server's fault.

use std::collections::VecDeque;
use std::time::Duration;

/// How finely the last while is divided.
const PARTS: u32 = 32;

/// A sliding window over what was received.
pub(super) struct Speed {
    window: Duration,
    waited: Duration,
    bytes: u64,
    /// Earlier states, at most one a part of the window; the first is as old as the window.
    marks: VecDeque<(Duration, u64)>,
    /// Since the last byte.
    silent: Duration,
}

impl Speed {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            waited: Duration::ZERO,
            bytes: 0,
            marks: VecDeque::from([(Duration::ZERO, 0)]),
            silent: Duration::ZERO,
        }
    }

    /// Notes that `bytes` came after waiting for `waited`.
    pub(super) fn note(&mut self, waited: Duration, bytes: u64) {
        self.waited += waited;
        self.bytes += bytes;
        self.silent = match bytes {
            0 => self.silent + waited,
            _ => Duration::ZERO,
        };
        let newest = self.marks.back().map_or(Duration::ZERO, |mark| mark.0);
        if self.waited - newest >= self.window / PARTS {
            self.marks.push_back((self.waited, self.bytes));
        }
        while self
            .marks
            .get(1)
            .is_some_and(|mark| mark.0 + self.window <= self.waited)
        {
            self.marks.pop_front();
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How long was waited for all bytes so far.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// Bytes a second from the beginning.
    pub(super) fn per_second_in_all(&self) -> u64 {
        let bytes = u128::from(self.bytes) * 1_000 / self.waited.as_millis().max(1);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// How long no byte has come.
    pub(super) fn silent(&self) -> Duration {
        self.silent
    }

    /// Bytes a second over the window; over all the time there was while it is shorter.
    pub(super) fn per_second(&self) -> u64 {
        let (since, had) = self.marks.front().copied().unwrap_or_default();
        let took_ms = (self.waited - since).as_millis().max(1);
        u64::try_from(u128::from(self.bytes - had) * 1_000 / took_ms).unwrap_or(u64::MAX)
    }

    /// Whether a whole window brought less than `least` bytes a second.
    pub(super) fn is_below(&self, least: u64) -> bool {
        self.waited >= self.window && self.per_second() < least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_crawl_is_noticed_after_a_window_and_not_before() {
        let mut speed = Speed::new(ms(3_000));
        for _ in 0..29 {
            speed.note(ms(100), 10);
            assert!(!speed.is_below(1_000));
        }
        speed.note(ms(100), 10);
        assert!(speed.is_below(1_000));
        assert_eq!(speed.per_second(), 100);
    }

    #[test]
    fn what_came_fast_long_ago_does_not_hide_a_crawl() {
        let mut speed = Speed::new(ms(3_000));
        for _ in 0..100 {
            speed.note(ms(10), 1 << 20);
        }
        for _ in 0..32 {
            speed.note(ms(100), 0);
        }
        assert!(speed.is_below(1_000));
        assert_eq!(speed.silent(), ms(3_200));
    }

    #[test]
    fn a_pause_within_a_fast_window_is_no_crawl() {
        let mut speed = Speed::new(ms(3_000));
        for _ in 0..30 {
            speed.note(ms(100), 1 << 20);
        }
        for _ in 0..20 {
            speed.note(ms(100), 0);
        }
        assert!(!speed.is_below(1_000));
    }
}
