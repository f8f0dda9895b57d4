//! The only code that reads the real clock. Everything else is handed a [`Clock`], so that a
//! rule about dates can be tested on any date and a replay gives the same result.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Duration, Utc};

/// A source of the current time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}

/// A clock that many parts of a service share.
pub type SharedClock = Arc<dyn Clock>;

/// The clocks of a process.
#[derive(Clone)]
pub struct Clocks {
    /// What the work goes by. A test moves it.
    pub work: SharedClock,
    /// The machine's own, which is compared with those of other servers.
    pub machine: SharedClock,
}

impl Clocks {
    /// The machine's own clock for both.
    pub fn of_machine() -> Self {
        Self::both(Arc::new(SystemClock))
    }

    /// One clock for both.
    pub fn both(clock: SharedClock) -> Self {
        Self {
            work: clock.clone(),
            machine: clock,
        }
    }
}

/// How long what a server told of its time is believed.
const TOLD_FOR: std::time::Duration = std::time::Duration::from_secs(600);

/// The time that a server told with its last answer.
#[derive(Debug, Clone, Default)]
pub struct ToldTime(Arc<Mutex<Option<Told>>>);

#[derive(Debug, Clone, Copy)]
struct Told {
    at: DateTime<Utc>,
    heard: Instant,
}

impl ToldTime {
    /// Notes the `Date` header of an answer that has just come (RFC 9110, section 6.6.1).
    pub fn note_http_date(&self, header: &str) {
        if let Ok(at) = DateTime::parse_from_rfc2822(header) {
            self.note(at.with_timezone(&Utc));
        }
    }

    /// Notes what it has just told.
    pub fn note(&self, at: DateTime<Utc>) {
        let heard = Instant::now();
        *self.told() = Some(Told { at, heard });
    }

    /// Whether it told its time in this last while.
    pub fn is_newer_than(&self, age: std::time::Duration) -> bool {
        self.told().is_some_and(|told| told.heard.elapsed() < age)
    }

    /// What the server's clock shows now, if it told its time not long ago.
    pub fn now(&self) -> Option<DateTime<Utc>> {
        let Told { at, heard } = (*self.told())?;
        let since = heard.elapsed();
        let since = (since < TOLD_FOR).then_some(since)?;
        at.checked_add_signed(Duration::from_std(since).ok()?)
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the real clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that does not move by itself, for tests and demonstrations.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now: Mutex::new(now),
        }
    }

    /// Moves the clock by `step`, which may be negative.
    pub fn advance(&self, step: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now += step;
    }

    /// Sets the clock to `now`.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_told_its_time_is_taken_at_its_word_and_no_other_text_is() {
        let told = ToldTime::default();
        told.note_http_date("tomorrow");
        assert_eq!(told.now(), None);
        told.note_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        let shown = told.now().unwrap().timestamp() - 784_111_777;
        assert!((0..60).contains(&shown), "{shown}");
    }

    #[test]
    fn a_manual_clock_moves_only_when_it_is_moved() {
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let shared: SharedClock = clock.clone();
        assert_eq!(shared.now(), start);
        clock.advance(Duration::days(2));
        assert_eq!(shared.now(), start + Duration::days(2));
        clock.set(start);
        assert_eq!(shared.now(), start);
    }
}
