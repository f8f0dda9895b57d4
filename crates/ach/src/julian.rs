//! Settlement dates that a file gives as a day of the year, without the year.
//!
//! An ACH batch header has the settlement date in positions 76-78 as three digits (`001` to
//! `366`), so the year must come from something that has a date: the file.

use chrono::{Datelike, Days, NaiveDate};

/// How far a settlement date may be after the reference, in calendar days. A file comes a day or
/// two before it settles, and a long weekend may be in between.
const LATEST_AFTER_REFERENCE_DAYS: u64 = 7;

/// The latest date that has this day of the year and is at most a week after the reference. It is
/// in the reference's own year, or in the one before or after.
///
/// `None` for day 0 (also how a caller reads blanks), for a day above 366, and for day 366 where
/// none of these years is a leap year. Day 364 in a file of 2 January 2026 is 30 December 2025.
pub(crate) fn resolve(day_of_year: u16, reference: NaiveDate) -> Option<NaiveDate> {
    let latest = reference
        .checked_add_days(Days::new(LATEST_AFTER_REFERENCE_DAYS))
        .unwrap_or(NaiveDate::MAX);
    let year = reference.year();
    [year.checked_add(1), Some(year), year.checked_sub(1)]
        .into_iter()
        .flatten()
        .filter_map(|year| NaiveDate::from_yo_opt(year, u32::from(day_of_year)))
        .find(|date| *date <= latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("test date")
    }

    #[test]
    fn a_day_before_the_reference_is_in_the_same_year() {
        assert_eq!(resolve(64, date("2026-03-06")), Some(date("2026-03-05")));
        assert_eq!(resolve(1, date("2026-12-20")), Some(date("2026-01-01")));
    }

    #[test]
    fn a_day_up_to_a_week_after_the_reference_is_ahead_of_it() {
        assert_eq!(resolve(67, date("2026-03-01")), Some(date("2026-03-08")));
        assert_eq!(resolve(68, date("2026-03-01")), Some(date("2025-03-09")));
    }

    #[test]
    fn a_december_day_in_a_january_file_belongs_to_the_year_before() {
        assert_eq!(resolve(364, date("2026-01-02")), Some(date("2025-12-30")));
        assert_eq!(resolve(365, date("2026-01-02")), Some(date("2025-12-31")));
        assert_eq!(resolve(363, date("2026-01-05")), Some(date("2025-12-29")));
    }

    #[test]
    fn a_january_day_in_a_december_file_belongs_to_the_year_after() {
        assert_eq!(resolve(2, date("2026-12-31")), Some(date("2027-01-02")));
        assert_eq!(resolve(6, date("2026-12-30")), Some(date("2027-01-06")));
        assert_eq!(resolve(7, date("2026-12-30")), Some(date("2026-01-07")));
    }

    #[test]
    fn day_366_is_the_last_day_of_a_leap_year() {
        assert_eq!(resolve(366, date("2028-12-31")), Some(date("2028-12-31")));
        assert_eq!(resolve(366, date("2028-12-26")), Some(date("2028-12-31")));
        assert_eq!(resolve(366, date("2029-01-02")), Some(date("2028-12-31")));
        assert_eq!(resolve(365, date("2028-12-31")), Some(date("2028-12-30")));
    }

    #[test]
    fn day_366_without_a_leap_year_in_reach_is_not_a_date() {
        assert_eq!(resolve(366, date("2026-01-02")), None);
        assert_eq!(resolve(366, date("2028-06-01")), None);
    }

    #[test]
    fn day_zero_and_days_beyond_the_year_are_not_dates() {
        assert_eq!(resolve(0, date("2026-03-06")), None);
        assert_eq!(resolve(367, date("2028-12-31")), None);
        assert_eq!(resolve(u16::MAX, date("2028-12-31")), None);
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        for reference in [NaiveDate::MIN, NaiveDate::MAX] {
            for day in 0..=367 {
                let _ = resolve(day, reference);
            }
        }
        assert_eq!(resolve(1, NaiveDate::MIN), Some(NaiveDate::MIN));
    }

    proptest! {
        #[test]
        fn any_date_from_a_week_ahead_to_350_days_back_is_found_again(
            reference_days in 700_000..800_000_i32,
            back in -7..350_i64,
        ) {
            let reference = NaiveDate::from_num_days_from_ce_opt(reference_days).expect("in range");
            let settled = reference - chrono::TimeDelta::days(back);
            let day = u16::try_from(settled.ordinal()).expect("at most 366");
            prop_assert_eq!(resolve(day, reference), Some(settled));
        }
    }
}
