//! The Federal Reserve's banking calendar, by which ACH deadlines are counted.
//!
//! The rule is the Reserve Banks' own: a holiday on a Sunday closes the following Monday,
//! a holiday on a Saturday closes nothing (the Friday before is a banking day). Offices of
//! the federal government close on that Friday, so their calendar is wrong here.
//! Source: <https://richmondfed.org/about_us/holiday_schedule>.
//!
//! The rules are those in force since 1978, with the years in which Martin Luther King
//! Jr. Day and Juneteenth were added. Inauguration Day, Good Friday, the day after
//! Thanksgiving and national days of mourning are banking days.

use chrono::{Datelike, NaiveDate, Weekday};

/// The dates of a year's holidays, in the order of the year and on any weekday. `None` before a
/// holiday existed and outside the calendar of [`NaiveDate`].
fn holidays(year: i32) -> [Option<NaiveDate>; 11] {
    let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let nth = |month, weekday, nth| NaiveDate::from_weekday_of_month_opt(year, month, weekday, nth);
    let new_years_day = fixed(1, 1);
    let martin_luther_king_jr_day = nth(1, Weekday::Mon, 3).filter(|_| year >= 1986);
    let washingtons_birthday = nth(2, Weekday::Mon, 3);
    let memorial_day = nth(5, Weekday::Mon, 5).or_else(|| nth(5, Weekday::Mon, 4));
    // It became law two days before 19 June 2021, a Saturday, which closed nothing.
    let juneteenth = fixed(6, 19).filter(|_| year >= 2022);
    let independence_day = fixed(7, 4);
    let labor_day = nth(9, Weekday::Mon, 1);
    let columbus_day = nth(10, Weekday::Mon, 2);
    let veterans_day = fixed(11, 11);
    let thanksgiving_day = nth(11, Weekday::Thu, 4);
    let christmas_day = fixed(12, 25);
    [
        new_years_day,
        martin_luther_king_jr_day,
        washingtons_birthday,
        memorial_day,
        juneteenth,
        independence_day,
        labor_day,
        columbus_day,
        veterans_day,
        thanksgiving_day,
        christmas_day,
    ]
}

/// The weekday on which the Reserve Banks are closed for a holiday on this date. `None` for a
/// Saturday, which closes nothing.
fn closed_date(holiday: NaiveDate) -> Option<NaiveDate> {
    match holiday.weekday() {
        Weekday::Sat => None,
        Weekday::Sun => holiday.succ_opt(),
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => Some(holiday),
    }
}

/// Whether the Reserve Banks settle on this date.
pub fn is_banking_day(date: NaiveDate) -> bool {
    match date.weekday() {
        Weekday::Sat | Weekday::Sun => false,
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => {
            // No holiday moves into another year: the last fixed one is 25 December.
            let mut holidays = holidays(date.year()).into_iter().flatten();
            !holidays.any(|holiday| closed_date(holiday) == Some(date))
        }
    }
}

/// The first banking day later than this date. `None` at the end of the calendar.
pub fn next_banking_day_after(date: NaiveDate) -> Option<NaiveDate> {
    date.iter_days().skip(1).find(|day| is_banking_day(*day))
}

/// The `count`-th banking day later than this date. With a count of 0 it is the date
/// itself, banking day or not. `None` at the end of the calendar.
pub fn add_banking_days(date: NaiveDate, count: u16) -> Option<NaiveDate> {
    (0..count).try_fold(date, |day, _| next_banking_day_after(day))
}

/// How many banking days are later than `from`, up to and including `to`. Negative where `to` is
/// the earlier one. It visits each day, so it is meant for spans of years, not of centuries.
pub fn banking_days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    if to < from {
        return -banking_days_between(to, from);
    }
    let later = from.iter_days().skip(1).take_while(|day| *day <= to);
    later.map(|day| i64::from(is_banking_day(day))).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("test date")
    }

    fn published() -> Vec<fixture::Row> {
        fixture::rows(include_str!("../data/fed_holidays.csv"))
    }

    #[test]
    fn every_published_holiday_has_its_nominal_and_its_closed_date() {
        let rows = published();
        assert_eq!(rows.len(), 77, "eleven holidays of seven years");
        for of_year in rows.chunks(11) {
            let year = of_year[0]["year"].parse().expect("a year");
            for (row, holiday) in of_year.iter().zip(holidays(year)) {
                let holiday = holiday.expect("a nominal date");
                assert_eq!(holiday, date(&row["nominal_date"]), "{row:?}");
                assert_eq!(holiday.weekday().to_string(), row["weekday"], "{row:?}");
                let closed = &row["fed_closed_date"];
                let closed = (!closed.is_empty()).then(|| date(closed));
                assert_eq!(closed_date(holiday), closed, "{row:?}");
                assert!(
                    closed.is_none_or(|closed| !is_banking_day(closed)),
                    "{row:?}"
                );
            }
        }
    }

    #[test]
    fn no_other_weekday_of_the_published_years_is_closed() {
        let closed: BTreeSet<NaiveDate> = published()
            .iter()
            .filter(|row| !row["fed_closed_date"].is_empty())
            .map(|row| date(&row["fed_closed_date"]))
            .collect();
        let days = date("2024-01-01").iter_days();
        for day in days.take_while(|day| *day <= date("2030-12-31")) {
            let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            let expected = !weekend && !closed.contains(&day);
            assert_eq!(is_banking_day(day), expected, "{day}");
        }
    }

    #[test]
    fn a_saturday_holiday_leaves_the_friday_and_the_monday_open() {
        assert!(is_banking_day(date("2026-07-03")));
        assert!(!is_banking_day(date("2026-07-04")));
        assert!(is_banking_day(date("2026-07-06")));
        assert!(
            is_banking_day(date("2027-12-31")),
            "1 January 2028 is a Saturday"
        );
    }

    #[test]
    fn a_sunday_holiday_closes_the_monday() {
        assert!(!is_banking_day(date("2027-07-05")), "Independence Day");
        assert!(!is_banking_day(date("2023-01-02")), "New Year's Day");
    }

    #[test]
    fn holidays_begin_in_the_year_they_were_first_kept() {
        assert!(is_banking_day(date("1985-01-21")));
        assert!(!is_banking_day(date("1986-01-20")));
        assert!(
            is_banking_day(date("2020-06-19")),
            "a Friday before Juneteenth was a holiday"
        );
        assert!(
            is_banking_day(date("2021-06-18")),
            "the Reserve Banks stayed open"
        );
        assert!(!is_banking_day(date("2022-06-20")), "Juneteenth");
    }

    #[test]
    fn days_that_only_others_keep_are_banking_days() {
        assert!(
            is_banking_day(date("2026-11-27")),
            "the day after Thanksgiving"
        );
        assert!(is_banking_day(date("2026-04-03")), "Good Friday");
        assert!(is_banking_day(date("2021-01-20")), "Inauguration Day");
    }

    #[test]
    fn memorial_day_is_the_last_monday_in_months_of_four_and_of_five() {
        assert_eq!(holidays(2026)[3], Some(date("2026-05-25")));
        assert_eq!(holidays(2027)[3], Some(date("2027-05-31")));
    }

    #[test]
    fn counting_steps_over_weekends_and_holidays() {
        assert_eq!(
            next_banking_day_after(date("2026-12-24")),
            Some(date("2026-12-28"))
        );
        assert_eq!(
            add_banking_days(date("2026-07-02"), 2),
            Some(date("2026-07-06"))
        );
        assert_eq!(
            add_banking_days(date("2027-07-02"), 2),
            Some(date("2027-07-07"))
        );
        assert_eq!(
            add_banking_days(date("2026-07-04"), 0),
            Some(date("2026-07-04"))
        );
        assert_eq!(
            banking_days_between(date("2027-07-02"), date("2027-07-07")),
            2
        );
        assert_eq!(
            banking_days_between(date("2027-07-07"), date("2027-07-02")),
            -2
        );
        assert_eq!(
            banking_days_between(date("2026-07-03"), date("2026-07-05")),
            0
        );
    }

    #[test]
    fn a_year_has_as_many_banking_days_as_published() {
        // 2026 has 261 weekdays and ten holidays on them; 2024 has 262 and eleven.
        assert_eq!(
            banking_days_between(date("2025-12-31"), date("2026-12-31")),
            251
        );
        assert_eq!(
            banking_days_between(date("2023-12-31"), date("2024-12-31")),
            251
        );
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        assert_eq!(next_banking_day_after(NaiveDate::MAX), None);
        assert_eq!(add_banking_days(NaiveDate::MAX, 3), None);
        assert_eq!(add_banking_days(NaiveDate::MAX, 0), Some(NaiveDate::MAX));
        assert_eq!(banking_days_between(NaiveDate::MAX, NaiveDate::MAX), 0);
        assert!(next_banking_day_after(NaiveDate::MIN).is_some());
        for edge in [NaiveDate::MIN, NaiveDate::MAX] {
            let _ = is_banking_day(edge);
        }
        assert_eq!(holidays(i32::MAX), [None; 11]);
        assert_eq!(holidays(i32::MIN), [None; 11]);
    }

    fn any_date() -> impl Strategy<Value = NaiveDate> {
        // 1978-01-01 to the year 2300.
        (722_085..839_800_i32)
            .prop_map(|days| NaiveDate::from_num_days_from_ce_opt(days).expect("in range"))
    }

    proptest! {
        #[test]
        fn a_banking_day_is_never_a_weekend_nor_a_holiday(start in any_date(), count in 1..40_u16) {
            let day = add_banking_days(start, count).expect("in range");
            prop_assert!(!matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
            let mut closed = holidays(day.year()).into_iter().flatten().filter_map(closed_date);
            prop_assert!(closed.all(|closed| closed != day));
        }

        #[test]
        fn counting_the_days_that_were_added_gives_their_number(
            start in any_date(),
            count in 0..300_u16,
        ) {
            let end = add_banking_days(start, count).expect("in range");
            prop_assert_eq!(banking_days_between(start, end), i64::from(count));
            prop_assert_eq!(banking_days_between(end, start), -i64::from(count));
        }

        #[test]
        fn nothing_between_a_day_and_the_next_banking_day_is_one(start in any_date()) {
            let next = next_banking_day_after(start).expect("in range");
            prop_assert!(next > start && next - start <= TimeDelta::days(5));
            for day in start.iter_days().skip(1).take_while(|day| *day < next) {
                prop_assert!(!is_banking_day(day));
            }
        }

        #[test]
        fn a_holiday_closes_its_own_date_or_the_monday_after_a_sunday(year in 1978..2300_i32) {
            for holiday in holidays(year).into_iter().flatten() {
                if let Some(closed) = closed_date(holiday) {
                    let moved = closed - holiday;
                    prop_assert!(moved == TimeDelta::zero() || moved == TimeDelta::days(1));
                    prop_assert_eq!(moved == TimeDelta::days(1), holiday.weekday() == Weekday::Sun);
                }
            }
        }
    }
}
