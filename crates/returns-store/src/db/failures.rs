//! What fails on the returns database again and again, whoever meets it. A sign of life may come
//! through where the work does not: a short statement escapes a time-out, a row finds room on a full
//! disk.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::StoreError;
use crate::columns::failed;

/// How far apart two failures are at least that are more than a hiccup.
const HICCUP: Duration = Duration::from_secs(1);

/// After how long a failure counts no more that nobody has tried again. What pauses for longer and
/// longer has pauses of its own to go by.
const FORGOTTEN: Duration = Duration::from_secs(45);

/// How long the database must have been well before something that a sign of life meets too says
/// anything: what began in an outage ends after it. The wait for a connection takes ten seconds.
const WELL: Duration = Duration::from_secs(11);

/// The failures of one database, by what was being done.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    series: Mutex<HashMap<&'static str, Series>>,
    /// Whether there are any: then success ends one.
    any: AtomicBool,
    /// Since when every sign of life has come through.
    well_since: Mutex<Option<Instant>>,
}

/// Failures of one thing without a success between them.
#[derive(Debug)]
struct Series {
    first: Instant,
    last: Instant,
    forgotten_after: Duration,
    /// Of a wait for a connection, which ends when anybody gets one.
    of_pool: bool,
    why: String,
}

impl Failures {
    /// Names what was being done when the database failed, and remembers that it did, until it
    /// works.
    pub(crate) fn failed(&self, what: &'static str, source: sqlx::Error) -> StoreError {
        let of_pool = matches!(source, sqlx::Error::PoolTimedOut);
        let error = failed(what)(source);
        if error.is_outage() {
            let is_met_by_all = of_pool || !error.is_of_a_statement();
            let now = Instant::now();
            if !is_met_by_all || self.has_been_well(now) {
                self.add(what, error.why(), of_pool, now);
            }
        }
        error
    }

    /// Something works. In a transaction only the commit shows that.
    pub(crate) fn worked(&self, what: &'static str) {
        if !self.any() {
            return;
        }
        let mut series = self.lock();
        series.remove(what);
        series.retain(|_, one| !one.of_pool);
        self.any.store(!series.is_empty(), Ordering::Relaxed);
    }

    /// Whether anything has failed and not worked since.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// A sign of life begins; until it has come through, the database is not known to be well.
    pub(crate) fn ask(&self) -> Option<Instant> {
        self.well().take()
    }

    /// It has come through. `since` is what [`Failures::ask`] gave. Gives why statements fail, while
    /// they do so again and again.
    pub(crate) fn answered(&self, since: Option<Instant>) -> Option<String> {
        let now = Instant::now();
        *self.well() = since.or(Some(now));
        self.go_on(now)
    }

    /// Forgets what failed until now: nothing works, and that is told by itself.
    pub(crate) fn forget(&self) {
        self.lock().clear();
        self.any.store(false, Ordering::Relaxed);
    }

    fn has_been_well(&self, now: Instant) -> bool {
        let since = *self.well();
        since.is_some_and(|since| now.duration_since(since) >= WELL)
    }

    fn add(&self, what: &'static str, why: String, of_pool: bool, now: Instant) {
        let mut series = self.lock();
        let before = series.get(what).filter(|before| before.counts(now));
        let first = before.map_or(now, |before| before.first);
        let pause = before.map_or(Duration::ZERO, |before| now.duration_since(before.last));
        let one = Series {
            first,
            last: now,
            forgotten_after: FORGOTTEN.max(pause * 3),
            of_pool,
            why,
        };
        series.insert(what, one);
        self.any.store(true, Ordering::Relaxed);
    }

    fn go_on(&self, now: Instant) -> Option<String> {
        let series = self.lock();
        let counting = series.values().filter(|one| one.counts(now));
        let lasting = counting.filter(|one| one.last.duration_since(one.first) >= HICCUP);
        lasting
            .max_by_key(|one| one.last)
            .map(|one| one.why.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Series>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn well(&self) -> MutexGuard<'_, Option<Instant>> {
        self.well_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn counts(&self, now: Instant) -> bool {
        now.duration_since(self.last) < self.forgotten_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(failures: &Failures, what: &'static str, seconds: u64, begin: Instant) {
        let now = begin + Duration::from_secs(seconds);
        failures.add(what, what.to_owned(), false, now);
    }

    #[test]
    fn one_failure_is_a_hiccup_and_what_fails_again_goes_on_until_it_works() {
        let (failures, begin) = (Failures::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert_eq!(failures.go_on(at(0)), None);
        coded(&failures, "append", 0, begin);
        coded(&failures, "read", 0, begin);
        assert_eq!(failures.go_on(at(0)), None, "hiccups");
        // The pauses of the work get longer, and a statement may take half a minute to fail.
        for seconds in [2, 14, 44, 104, 224] {
            coded(&failures, "append", seconds, begin);
            assert_eq!(failures.go_on(at(seconds + 44)).as_deref(), Some("append"));
        }
        failures.worked("read");
        assert_eq!(failures.go_on(at(225)).as_deref(), Some("append"));
        failures.worked("append");
        assert_eq!(failures.go_on(at(225)), None);
        assert!(!failures.any());
    }

    #[test]
    fn what_is_not_tried_again_is_forgotten() {
        let (failures, begin) = (Failures::default(), Instant::now());
        coded(&failures, "read", 0, begin);
        coded(&failures, "read", 2, begin);
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(failures.go_on(at(46)).is_some());
        assert_eq!(failures.go_on(at(47)), None);
    }

    #[test]
    fn what_a_sign_of_life_meets_too_counts_only_while_the_database_is_well() {
        let failures = Failures::default();
        failures.failed("read", sqlx::Error::PoolTimedOut);
        assert!(!failures.any(), "nothing has come through yet");
        let since = Instant::now().checked_sub(WELL);
        assert_eq!(failures.answered(since), None);
        failures.failed("read", sqlx::Error::PoolTimedOut);
        failures.failed("write", sqlx::Error::WorkerCrashed);
        assert!(failures.any());
        failures.worked("append");
        assert_eq!(failures.lock().len(), 1, "a connection was free");
        assert_eq!(failures.ask(), since);
        failures.forget();
        failures.failed("write", sqlx::Error::WorkerCrashed);
        assert!(!failures.any(), "a sign of life is on its way");
    }
}
