//! When a message is tried again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The pauses before each try, in seconds: the schedule of Standard Webhooks 1.0, ten tries
/// in about 75.6 hours.
const PAUSES_S: [u64; 10] = [
    0,
    5,
    5 * 60,
    30 * 60,
    2 * 3600,
    5 * 3600,
    10 * 3600,
    14 * 3600,
    20 * 3600,
    24 * 3600,
];

/// A receiver cannot put us off for longer than this.
const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

/// Pauses differ by at most a tenth, so that what failed together does not come back together.
const SPREAD_PERMILLE: u64 = 100;

/// The time line of tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// A thousandth of each pause is this long in microseconds: 1,000 is the real schedule,
    /// and tests take less.
    pub scale: u32,
}

impl Schedule {
    /// The schedule of the standard.
    #[cfg(test)]
    pub const REAL: Self = Self { scale: 1_000 };

    /// When a message is tried again after its `tries`-th try failed; `None` when it has had its
    /// ten tries. `jitter` is any random number. A receiver that says when it wants to be asked
    /// again is not asked before.
    pub fn next_attempt(
        self,
        tries: u64,
        retry_after: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        jitter: u64,
    ) -> Option<DateTime<Utc>> {
        let place = usize::try_from(tries).ok()?;
        let pause_s = PAUSES_S.get(place).copied().filter(|_| place > 0)?;
        let spread = jitter % (2 * SPREAD_PERMILLE + 1);
        let permille = 1_000 - SPREAD_PERMILLE + spread;
        let pause = Duration::from_micros(pause_s * permille * u64::from(self.scale));
        let pause = TimeDelta::from_std(pause).unwrap_or(LONGEST_RETRY_AFTER);
        let scheduled = now.checked_add_signed(pause)?;
        let asked = retry_after.map(|at| at.min(now + LONGEST_RETRY_AFTER));
        Some(asked.map_or(scheduled, |at| at.max(scheduled)))
    }
}

/// Any number, for the jitter.
pub fn any_number() -> u64 {
    let (number, _) = uuid::Uuid::new_v4().as_u64_pair();
    number
}

/// What the header `Retry-After` asks for: seconds from `now`, or an HTTP date in any of the three
/// forms that a recipient must read (RFC 9110, 5.6.7).
pub(super) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let longest = LONGEST_RETRY_AFTER.num_seconds();
        // More digits than a number has ask for the longest pause.
        let seconds = value.parse::<i64>().map_or(longest, |s| s.min(longest));
        return now.checked_add_signed(TimeDelta::seconds(seconds));
    }
    httpdate::parse_http_date(value).ok().map(DateTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    /// Without a difference either way.
    const EVEN: u64 = SPREAD_PERMILLE;

    #[test]
    fn ten_tries_take_75_hours_35_minutes_and_5_seconds_then_it_is_given_up() {
        let mut at = now();
        let mut tries = 1;
        while let Some(next) = Schedule::REAL.next_attempt(tries, None, at, EVEN) {
            assert!(next > at);
            at = next;
            tries += 1;
        }
        assert_eq!(tries, 10);
        let expected = TimeDelta::hours(75) + TimeDelta::minutes(35) + TimeDelta::seconds(5);
        assert_eq!(at - now(), expected);
    }

    #[test]
    fn every_jitter_stays_within_a_tenth() {
        for jitter in [0, 1, 100, 200, 201, u64::MAX] {
            let next = Schedule::REAL.next_attempt(9, None, now(), jitter).unwrap();
            let pause = next - now();
            let day = TimeDelta::hours(24);
            assert!(pause >= day * 9 / 10 && pause <= day * 11 / 10, "{pause}");
        }
        let first = Schedule::REAL.next_attempt(9, None, now(), 0);
        assert_ne!(first, Schedule::REAL.next_attempt(9, None, now(), 200));
    }

    #[test]
    fn a_receiver_is_not_asked_before_it_wants_to_be_but_cannot_put_us_off_for_ever() {
        let next = |wanted: &str, attempts| {
            let at = retry_after(wanted, now());
            Schedule::REAL
                .next_attempt(attempts, at, now(), EVEN)
                .unwrap()
                - now()
        };
        assert_eq!(next("120", 1), TimeDelta::seconds(120));
        assert_eq!(
            next("1", 2),
            TimeDelta::minutes(5),
            "never faster than the schedule"
        );
        for long in [
            "999999",
            "99999999999999999999",
            "Tue, 31 Dec 2999 23:59:59 GMT",
        ] {
            assert_eq!(next(long, 1), TimeDelta::hours(24), "{long}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date_and_nonsense_is_nothing() {
        assert_eq!(
            retry_after(" 7 ", now()),
            Some(now() + TimeDelta::seconds(7))
        );
        for date in [
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wednesday, 21-Oct-15 07:28:00 GMT",
            "Wed Oct 21 07:28:00 2015",
        ] {
            let read = retry_after(date, now()).unwrap();
            assert_eq!(read.to_rfc3339(), "2015-10-21T07:28:00+00:00", "{date}");
        }
        for nonsense in ["", "soon", "-5", "1.5", "2015-10-21"] {
            assert_eq!(retry_after(nonsense, now()), None, "{nonsense}");
        }
    }

    #[test]
    fn tests_run_the_same_schedule_faster() {
        let fast = Schedule { scale: 1 };
        let next = fast.next_attempt(1, None, now(), EVEN).unwrap();
        assert_eq!(next - now(), TimeDelta::milliseconds(5));
    }
}
