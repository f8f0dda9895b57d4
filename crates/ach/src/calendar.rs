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

use crate::text_enum::text_enum;

text_enum! {
    /// A holiday on which the Federal Reserve Banks settle nothing, by the name they publish.
    Holiday {
        /// 1 January.
        NewYearsDay = "New Year's Day",
        /// The third Monday of January, since 1986.
        MartinLutherKingJrDay = "Martin Luther King Jr. Day",
        /// The third Monday of February.
        WashingtonsBirthday = "Washington's Birthday",
        /// The last Monday of May.
        MemorialDay = "Memorial Day",
        /// 19 June, since 2022. (It became law two days before 19 June 2021, a Saturday,
        /// which closed nothing.)
        Juneteenth = "Juneteenth",
        /// 4 July.
        IndependenceDay = "Independence Day",
        /// The first Monday of September.
        LaborDay = "Labor Day",
        /// The second Monday of October.
        ColumbusDay = "Columbus Day",
        /// 11 November.
        VeteransDay = "Veterans Day",
        /// The fourth Thursday of November.
        ThanksgivingDay = "Thanksgiving Day",
        /// 25 December.
        ChristmasDay = "Christmas Day",
    }
}

impl Holiday {
    /// The date of the holiday in a year, whatever its weekday. `None` in the years before it
    /// existed and outside the calendar of [`NaiveDate`].
    #[must_use]
    pub fn nominal_date(self, year: i32) -> Option<NaiveDate> {
        let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
        let monday =
            |month, nth| NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Mon, nth);
        match self {
            Self::NewYearsDay => fixed(1, 1),
            Self::MartinLutherKingJrDay if year < 1986 => None,
            Self::MartinLutherKingJrDay => monday(1, 3),
            Self::WashingtonsBirthday => monday(2, 3),
            Self::MemorialDay => monday(5, 5).or_else(|| monday(5, 4)),
            Self::Juneteenth if year < 2022 => None,
            Self::Juneteenth => fixed(6, 19),
            Self::IndependenceDay => fixed(7, 4),
            Self::LaborDay => monday(9, 1),
            Self::ColumbusDay => monday(10, 2),
            Self::VeteransDay => fixed(11, 11),
            Self::ThanksgivingDay => {
                NaiveDate::from_weekday_of_month_opt(year, 11, Weekday::Thu, 4)
            }
            Self::ChristmasDay => fixed(12, 25),
        }
    }

    /// The weekday on which the Reserve Banks are closed for the holiday in a year. `None`
    /// where it falls on a Saturday, which closes nothing, and where it has no date.
    #[must_use]
    pub fn closed_date(self, year: i32) -> Option<NaiveDate> {
        let nominal = self.nominal_date(year)?;
        match nominal.weekday() {
            Weekday::Sat => None,
            Weekday::Sun => nominal.succ_opt(),
            Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => {
                Some(nominal)
            }
        }
    }
}

/// The holiday for which the Reserve Banks are closed on this date. It is always a weekday: 5 July
/// 2027 is Independence Day here, because the 4th is a Sunday; 4 July 2026 is `None`, because it
/// is a Saturday.
#[must_use]
pub fn holiday(date: NaiveDate) -> Option<Holiday> {
    // No holiday moves into another year: the last fixed one is 25 December.
    Holiday::ALL
        .iter()
        .copied()
        .find(|holiday| holiday.closed_date(date.year()) == Some(date))
}

/// Whether the Reserve Banks settle on this date.
#[must_use]
pub fn is_banking_day(date: NaiveDate) -> bool {
    match date.weekday() {
        Weekday::Sat | Weekday::Sun => false,
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => {
            holiday(date).is_none()
        }
    }
}

/// The first banking day later than this date. `None` at the end of the calendar.
#[must_use]
pub fn next_banking_day_after(date: NaiveDate) -> Option<NaiveDate> {
    date.iter_days().skip(1).find(|day| is_banking_day(*day))
}

/// The `count`-th banking day later than this date. With a count of 0 it is the date
/// itself, banking day or not. `None` at the end of the calendar.
#[must_use]
pub fn add_banking_days(date: NaiveDate, count: u16) -> Option<NaiveDate> {
    (0..count).try_fold(date, |day, _| next_banking_day_after(day))
}

/// How many banking days are later than `from`, up to and including `to`. Negative where `to` is
/// the earlier one. It visits each day, so it is meant for spans of years, not of centuries.
#[must_use]
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
        for row in rows {
            let year = row["year"].parse().expect("a year");
            let holiday = Holiday::ALL
                .iter()
                .copied()
                .find(|holiday| holiday.as_str() == row["holiday"])
                .unwrap_or_else(|| panic!("{} is not in the enum", row["holiday"]));
            let nominal = holiday.nominal_date(year).expect("a nominal date");
            assert_eq!(nominal, date(&row["nominal_date"]), "{row:?}");
            assert_eq!(nominal.weekday().to_string(), row["weekday"], "{row:?}");

            let closed =
                (!row["fed_closed_date"].is_empty()).then(|| date(&row["fed_closed_date"]));
            assert_eq!(holiday.closed_date(year), closed, "{row:?}");
            if let Some(closed) = closed {
                assert_eq!(super::holiday(closed), Some(holiday), "{row:?}");
                assert!(!is_banking_day(closed), "{row:?}");
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
        assert_eq!(holiday(date("2026-07-04")), None);
        assert!(
            is_banking_day(date("2027-12-31")),
            "1 January 2028 is a Saturday"
        );
    }

    #[test]
    fn a_sunday_holiday_closes_the_monday() {
        assert_eq!(holiday(date("2027-07-04")), None);
        assert_eq!(holiday(date("2027-07-05")), Some(Holiday::IndependenceDay));
        assert_eq!(holiday(date("2023-01-02")), Some(Holiday::NewYearsDay));
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
        assert_eq!(Holiday::Juneteenth.nominal_date(2021), None);
        assert_eq!(holiday(date("2022-06-20")), Some(Holiday::Juneteenth));
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
        assert_eq!(
            Holiday::MemorialDay.nominal_date(2026),
            Some(date("2026-05-25"))
        );
        assert_eq!(
            Holiday::MemorialDay.nominal_date(2027),
            Some(date("2027-05-31"))
        );
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
            let _ = (holiday(edge), is_banking_day(edge));
        }
        assert_eq!(Holiday::LaborDay.closed_date(i32::MAX), None);
        assert_eq!(Holiday::LaborDay.closed_date(i32::MIN), None);
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
            prop_assert_eq!(holiday(day), None);
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
            for holiday in Holiday::ALL {
                if let Some(closed) = holiday.closed_date(year) {
                    let nominal = holiday.nominal_date(year).expect("it has a closed date");
                    let moved = closed - nominal;
                    prop_assert!(moved == TimeDelta::zero() || moved == TimeDelta::days(1));
                    prop_assert_eq!(moved == TimeDelta::days(1), nominal.weekday() == Weekday::Sun);
                }
            }
        }
    }
}
