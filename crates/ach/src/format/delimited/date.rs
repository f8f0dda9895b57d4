//! Dates as vendors print them.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};

/// The years that a payment's date can lie in. A year outside is a misread format, such as
/// two digits read as four.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2199;

/// Reads a date in the first of `formats` that fits. A time after the date is ignored: a return
/// date is a day, not an instant.
pub(super) fn read(text: &str, formats: &[String]) -> Option<NaiveDate> {
    formats.iter().find_map(|format| {
        let (date, rest) = NaiveDate::parse_and_remainder(text, format).ok()?;
        (YEARS.contains(&date.year()) && is_time(rest)).then_some(date)
    })
}

/// Whether what follows a date is nothing or a time of day, with or without a zone.
fn is_time(rest: &str) -> bool {
    let Some(time) = rest.strip_prefix([' ', 'T']) else {
        return rest.is_empty();
    };
    let time = time.trim_start();
    time.starts_with(|c: char| c.is_ascii_digit())
        && time.contains(':')
        && time
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ": .+-".contains(c))
}

/// What is wrong with a date format: it must hold day, month and year and nothing else.
pub(super) fn fault_of(format: &str) -> Option<String> {
    let sample = NaiveDate::from_ymd_opt(2024, 11, 23)?;
    let read_back = written(sample, format).and_then(|text| read(&text, &[format.to_owned()]));
    if read_back == Some(sample) {
        None
    } else {
        Some(format!(
            "{format:?} does not read a date: give day, month and year, as in %m/%d/%Y"
        ))
    }
}

/// Whether the two formats read one text as different dates, so that the order of the list
/// would decide the date.
pub(super) fn are_ambiguous(one: &str, other: &str) -> bool {
    let Some(sample) = NaiveDate::from_ymd_opt(2011, 12, 10) else {
        return false;
    };
    let as_other =
        |from: &str, to: &str| written(sample, from).and_then(|text| read(&text, &[to.to_owned()]));
    [as_other(one, other), as_other(other, one)]
        .iter()
        .flatten()
        .any(|date| *date != sample)
}

/// `date` in `format`, where the format is for dates alone.
fn written(date: NaiveDate, format: &str) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", date.format(format)).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str, format: &str) -> Option<String> {
        read(text, &[format.to_owned()]).map(|date| date.to_string())
    }

    #[test]
    fn dates_are_read_padded_and_unpadded_in_the_profiles_formats() {
        let cases = [
            ("01/05/2024", "%m/%d/%Y"),
            ("1/5/2024", "%m/%d/%Y"),
            ("2024-01-05", "%Y-%m-%d"),
            ("20240105", "%Y%m%d"),
            ("010524", "%m%d%y"),
            ("5/Jan/24", "%d/%b/%y"),
            ("1/5/2024", "%-m/%-d/%Y"),
        ];
        for (text, format) in cases {
            assert_eq!(
                reads(text, format).as_deref(),
                Some("2024-01-05"),
                "{text} {format}"
            );
        }
    }

    #[test]
    fn a_time_after_the_date_is_ignored() {
        let times = [
            "23:59:59",
            "10:22",
            "12:00:00 AM",
            "10:22:00.123Z",
            "10:22:00-05:00",
        ];
        for time in times {
            for between in [" ", "T"] {
                let text = format!("01/05/2024{between}{time}");
                assert_eq!(
                    reads(&text, "%m/%d/%Y").as_deref(),
                    Some("2024-01-05"),
                    "{text}"
                );
            }
        }
        assert_eq!(reads("2024-01-05 x", "%Y-%m-%d"), None);
        assert_eq!(reads("2024-01-051", "%Y-%m-%d"), None);
        assert_eq!(reads("01/05/2024 99", "%m/%d/%Y"), None);
    }

    #[test]
    fn a_date_that_does_not_exist_or_is_in_no_likely_year_is_rejected() {
        for text in [
            "13/05/2024",
            "02/30/2024",
            "1/5/24",
            "01/05/0024",
            "",
            "01-05-2024",
        ] {
            assert_eq!(reads(text, "%m/%d/%Y"), None, "{text}");
        }
        assert_eq!(reads("2024-1-5", "%Y%m%d"), None);
    }

    #[test]
    fn the_first_format_that_fits_is_taken() {
        let formats = ["%m/%d/%Y".to_owned(), "%Y-%m-%d".to_owned()];
        assert!(read("2024-01-05", &formats).is_some());
        assert!(read("1/5/2024", &formats).is_some());
    }

    #[test]
    fn a_format_must_hold_a_whole_date() {
        for good in [
            "%m/%d/%Y",
            "%-m/%-d/%Y",
            "%Y-%m-%d",
            "%Y%m%d",
            "%m%d%y",
            "%d/%b/%y",
        ] {
            assert_eq!(fault_of(good), None);
        }
        for bad in ["", "%m/%d", "%Q", "%H:%M", "MM/dd/yyyy", "%Y-%m-%d %H:%M"] {
            assert!(fault_of(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn formats_that_swap_day_and_month_are_ambiguous() {
        assert!(are_ambiguous("%m/%d/%Y", "%d/%m/%Y"));
        assert!(!are_ambiguous("%m/%d/%Y", "%Y-%m-%d"));
        assert!(!are_ambiguous("%m/%d/%Y", "%-m/%-d/%Y"));
        assert!(!are_ambiguous("%m/%d/%Y", "%m/%d/%y"));
    }
}
