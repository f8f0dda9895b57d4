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

/// After how long a failure counts no more that nobody has tried again. The work's longest pauses are
/// shorter.
const FORGOTTEN: Duration = Duration::from_secs(300);

/// The same where the failure is that the pool had no connection for ten seconds: whatever comes next
/// meets it.
const POOL_FORGOTTEN: Duration = Duration::from_secs(15);

/// How long the database must have been well before a wait for a connection says something.
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
    why: String,
}

impl Failures {
    /// Names what was being done when the database failed, and remembers that it did, until it
    /// works.
    pub(crate) fn seen<T>(
        &self,
        what: &'static str,
        outcome: Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        match outcome {
            Ok(done) => {
                if self.any.load(Ordering::Relaxed) {
                    self.worked(what);
                }
                Ok(done)
            }
            Err(source) => {
                let of_pool = matches!(source, sqlx::Error::PoolTimedOut);
                let error = failed(what)(source);
                if error.is_of_a_statement() {
                    self.add(what, error.why(), of_pool, Instant::now());
                }
                Err(error)
            }
        }
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

    fn worked(&self, what: &'static str) {
        let mut series = self.lock();
        series.remove(what);
        // A connection was free.
        series.retain(|_, one| one.forgotten_after != POOL_FORGOTTEN);
        self.any.store(!series.is_empty(), Ordering::Relaxed);
    }

    fn add(&self, what: &'static str, why: String, of_pool: bool, now: Instant) {
        let well_since = *self.well();
        let is_well = well_since.is_some_and(|since| now.duration_since(since) >= WELL);
        if of_pool && !is_well {
            return;
        }
        let forgotten_after = if of_pool { POOL_FORGOTTEN } else { FORGOTTEN };
        let mut series = self.lock();
        let before = series.get(what).filter(|before| before.counts(now));
        let first = before.map_or(now, |before| before.first);
        let last = now;
        series.insert(
            what,
            Series {
                first,
                last,
                forgotten_after,
                why,
            },
        );
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

    #[test]
    fn one_failure_is_a_hiccup_and_what_fails_again_goes_on_until_it_works() {
        let (failures, begin) = (Failures::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let add = |what, seconds| failures.add(what, what.to_owned(), false, at(seconds));
        assert_eq!(failures.go_on(at(0)), None);
        add("append", 0);
        add("read", 0);
        assert_eq!(failures.go_on(at(0)), None, "hiccups");
        // The pauses of the work get longer, and a statement may take half a minute to fail.
        for seconds in [2, 14, 44, 104] {
            add("append", seconds);
            assert_eq!(failures.go_on(at(seconds + 30)).as_deref(), Some("append"));
        }
        failures.worked("read");
        assert_eq!(failures.go_on(at(105)).as_deref(), Some("append"));
        failures.worked("append");
        assert_eq!(failures.go_on(at(105)), None);
    }

    #[test]
    fn what_is_not_tried_again_is_forgotten() {
        let (failures, begin) = (Failures::default(), Instant::now());
        for seconds in [0, 2] {
            let now = begin + Duration::from_secs(seconds);
            failures.add("read", "damaged".to_owned(), false, now);
        }
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(failures.go_on(at(301)).is_some());
        assert_eq!(failures.go_on(at(302)), None);
    }

    #[test]
    fn a_wait_for_a_connection_that_began_in_an_outage_says_nothing() {
        let (failures, begin) = (Failures::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let add = |seconds| failures.add("read", "busy".to_owned(), true, at(seconds));
        *failures.well() = Some(at(0));
        for seconds in [2, 4] {
            add(seconds);
            assert_eq!(failures.go_on(at(seconds)), None);
        }
        for seconds in [20, 30] {
            add(seconds);
        }
        assert_eq!(failures.go_on(at(30)).as_deref(), Some("busy"));
        failures.worked("append");
        assert_eq!(failures.go_on(at(30)), None, "a connection was free");
    }
}
