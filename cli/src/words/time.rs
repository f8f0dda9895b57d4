//! Times and ages.

use chrono::{DateTime, NaiveDate, Utc};
use prost_types::Timestamp;

use crate::output::counted;

/// A time for people; a dash when there is none.
pub(crate) fn time(at: Option<&Timestamp>) -> String {
    let at = at.and_then(moment);
    at.map_or("-".to_owned(), |at| {
        at.format("%Y-%m-%d %H:%MZ").to_string()
    })
}

/// How long ago something was: `3 days`; a dash when it was never.
pub(crate) fn since(at: Option<&Timestamp>, now: DateTime<Utc>) -> String {
    let at = at.and_then(moment);
    at.map_or("-".to_owned(), |at| age(now - at))
}

fn moment(at: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, 0)
}

/// A length of time in its largest unit: `3 days`, `5 hours`, `1 minute`. Clocks differ a little,
/// so what is to come counts as now.
fn age(length: chrono::Duration) -> String {
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let (days, hours, minutes) = (length.num_days(), length.num_hours(), length.num_minutes());
    match (days, hours, minutes) {
        (1.., _, _) => counted(number(days), "day", "days"),
        (_, 1.., _) => counted(number(hours), "hour", "hours"),
        (_, _, 1..) => counted(number(minutes), "minute", "minutes"),
        _ => counted(number(length.num_seconds()), "second", "seconds"),
    }
}

/// A time that somebody types: a date, which begins at midnight in UTC, or a time of RFC 3339.
pub(crate) fn day_or_time(text: &str) -> Result<Timestamp, String> {
    let of_day = || {
        let day: NaiveDate = text.parse().ok()?;
        Some(day.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    let of_time = || Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
    let at = of_day().or_else(of_time);
    let at = at.ok_or("write a date such as 2026-01-05, or a time such as 2026-01-05T08:00:00Z")?;
    Ok(echeck_proto::timestamp::to_proto(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_its_largest_unit_and_the_right_plural() {
        let age = |seconds| age(chrono::Duration::seconds(seconds));
        assert_eq!(age(-5), "0 seconds");
        assert_eq!(age(1), "1 second");
        assert_eq!(age(59), "59 seconds");
        assert_eq!(age(60), "1 minute");
        assert_eq!(age(7_199), "1 hour");
        assert_eq!(age(3 * 86_400 + 5), "3 days");
    }

    #[test]
    fn a_date_is_its_midnight_and_nonsense_is_answered_with_what_to_write() {
        let midnight = day_or_time("2026-01-05").unwrap();
        assert_eq!(day_or_time("2026-01-05T00:00:00Z").unwrap(), midnight);
        assert_eq!(time(Some(&midnight)), "2026-01-05 00:00Z");
        assert_eq!(time(None), "-");
        let why = day_or_time("yesterday").unwrap_err();
        assert!(why.contains("2026-01-05T08:00:00Z"), "{why}");
    }
}
