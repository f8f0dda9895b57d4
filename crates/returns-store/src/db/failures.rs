//! What fails on the returns database again and again, whoever meets it. A sign of life may come
//! through where the work does not: a short statement escapes a time-out, a row finds room on a full
//! disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::StoreError;
use crate::columns::failed;

/// How long after the last failure they go on. The work is tried again sooner.
const GOES_ON: Duration = Duration::from_secs(10);

/// How far apart two failures are at least that are more than a hiccup.
const HICCUP: Duration = Duration::from_secs(1);

/// The failures of one database.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Option<Series>>);

/// Failures of which none is long after the one before.
#[derive(Debug)]
struct Series {
    first: Instant,
    last: Instant,
    why: String,
}

impl Failures {
    /// Names what was being done when the database failed, and remembers that it did.
    pub(crate) fn at(&self, what: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
        move |source| {
            let error = failed(what)(source);
            if error.is_outage() {
                self.add(error.why(), Instant::now());
            }
            error
        }
    }

    /// Forgets what failed until now.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why statements fail, while they do so again and again.
    pub(crate) fn go_on(&self) -> Option<String> {
        self.go_on_at(Instant::now())
    }

    fn add(&self, why: String, now: Instant) {
        let mut series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = series.take().filter(|series| series.is_on(now));
        let first = before.map_or(now, |series| series.first);
        *series = Some(Series {
            first,
            last: now,
            why,
        });
    }

    fn go_on_at(&self, now: Instant) -> Option<String> {
        let series = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = series.as_ref().filter(|series| series.is_on(now))?;
        let is_hiccup = series.last.duration_since(series.first) < HICCUP;
        (!is_hiccup).then(|| series.why.clone())
    }
}

impl Series {
    fn is_on(&self, now: Instant) -> bool {
        now.duration_since(self.last) < GOES_ON
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_a_hiccup_and_what_comes_again_goes_on_until_it_has_not_come_for_a_while() {
        let (failures, begin) = (Failures::default(), Instant::now());
        let at = |ms| begin + Duration::from_millis(ms);
        assert_eq!(failures.go_on_at(at(0)), None);
        for ms in [0, 10, 900] {
            failures.add("one second".into(), at(ms));
            assert_eq!(failures.go_on_at(at(ms)), None, "a hiccup");
        }
        failures.add("again".into(), at(2_000));
        assert_eq!(failures.go_on_at(at(11_999)).as_deref(), Some("again"));
        assert_eq!(failures.go_on_at(at(12_000)), None);
        failures.add("later".into(), at(12_000));
        assert_eq!(failures.go_on_at(at(12_000)), None, "a new hiccup");
    }
}
