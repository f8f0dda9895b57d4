//! When a made transfer may join a settlement.

use ach::calendar::add_banking_days;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::US::Eastern;
use echeck_service::config::Section;

/// Who says when a made transfer is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyPolicy {
    /// The service, as soon as every database has passed the row that made it.
    WhenApplied,
    /// The service, this many banking days after the day of the decision, and once every database
    /// has passed the row.
    AfterBankingDays(u16),
    /// A person, for each one.
    ByHand,
}

/// The maximum number of days between a decision and the day on which it is ripe.
const LONGEST_SPAN_DAYS: i64 = 400;

impl ReadyPolicy {
    /// Reads `[reversals]`.
    pub fn read(section: &Section<'_>) -> Self {
        let days = section.u64_or("banking_days", 1, 1..=90);
        // Its range keeps it small enough.
        let days = u16::try_from(days).unwrap_or(90);
        let policies = [
            ("when_applied", Self::WhenApplied),
            ("after_banking_days", Self::AfterBankingDays(days)),
            ("by_hand", Self::ByHand),
        ];
        section.one_of("ready", &policies, Some(Self::WhenApplied))
    }

    /// What was decided before this moment is ripe now; `None` when nothing ever is by itself.
    /// Days are those of the Federal Reserve's banks, in Eastern time.
    pub fn ripe_before(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            // The decision itself may carry this very instant.
            Self::WhenApplied => now.checked_add_signed(Duration::days(1)),
            Self::AfterBankingDays(days) => {
                let today = now.with_timezone(&Eastern).date_naive();
                let last = last_ripe_day(today, days)?;
                start_of_day(last.succ_opt()?)
            }
            Self::ByHand => None,
        }
    }
}

/// The last day from which `days` banking days have passed by `today`.
fn last_ripe_day(today: NaiveDate, days: u16) -> Option<NaiveDate> {
    let ripe = |day: &NaiveDate| add_banking_days(*day, days).is_some_and(|due| due <= today);
    (0..LONGEST_SPAN_DAYS)
        .filter_map(|back| today.checked_sub_signed(Duration::days(back)))
        .find(ripe)
}

/// Midnight in Eastern time, which is never skipped there.
fn start_of_day(day: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = Eastern.from_local_datetime(&day.and_time(NaiveTime::MIN));
    midnight.earliest().map(|at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn ripe(policy: ReadyPolicy, decided: &str, now: &str) -> bool {
        policy
            .ripe_before(at(now))
            .is_some_and(|before| at(decided) < before)
    }

    #[test]
    fn what_is_applied_is_ripe_at_once() {
        let policy = ReadyPolicy::WhenApplied;
        assert!(ripe(policy, "2026-11-20T15:00:00Z", "2026-11-20T15:00:00Z"));
    }

    #[test]
    fn days_are_banking_days_in_eastern_time() {
        let policy = ReadyPolicy::AfterBankingDays(2);
        // A decision on Tuesday evening in New York; Thursday is Thanksgiving.
        let decided = "2026-11-25T02:00:00Z";
        assert!(!ripe(policy, decided, "2026-11-27T04:59:59Z"));
        assert!(ripe(policy, decided, "2026-11-27T05:00:00Z"));
        // One on Wednesday is ripe on Monday.
        let decided = "2026-11-25T15:00:00Z";
        assert!(!ripe(policy, decided, "2026-11-29T15:00:00Z"));
        assert!(ripe(policy, decided, "2026-11-30T05:00:00Z"));
    }

    #[test]
    fn by_hand_nothing_is_ever_ripe() {
        assert_eq!(
            ReadyPolicy::ByHand.ripe_before(at("2026-11-20T15:00:00Z")),
            None
        );
    }
}
