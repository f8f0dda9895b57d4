//! How instants are written into columns that hold them as text, and read from them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use echeck_service::config::Section;

/// How a column that has no type for instants holds them. The texts are UTC with microseconds, so
/// that their order in a column is the order of time, as it is that of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2026-03-02T14:05:06.000000Z`.
    Rfc3339,
    /// `2026-03-02 14:05:06.000000`, as Rails writes it.
    Rails,
    /// Whole seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
}

impl TimestampFormat {
    /// Reads the key `timestamp_format`.
    pub fn read(section: &Section<'_>, default: Self) -> Self {
        let formats = [
            ("rfc3339", Self::Rfc3339),
            ("rails", Self::Rails),
            ("unix_s", Self::UnixSeconds),
            ("unix_ms", Self::UnixMilliseconds),
        ];
        section.one_of("timestamp_format", &formats, Some(default))
    }

    /// The instant as text.
    pub fn write(self, at: DateTime<Utc>) -> String {
        match self {
            Self::Rfc3339 => at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            Self::Rails => at.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
            Self::UnixSeconds => at.timestamp().to_string(),
            Self::UnixMilliseconds => at.timestamp_millis().to_string(),
        }
    }

    /// The instant as a number; `None` where instants are texts.
    pub(crate) fn number(self, at: DateTime<Utc>) -> Option<i64> {
        match self {
            Self::Rfc3339 | Self::Rails => None,
            Self::UnixSeconds => Some(at.timestamp()),
            Self::UnixMilliseconds => Some(at.timestamp_millis()),
        }
    }

    /// Whether instants are numbers.
    pub(crate) fn is_number(self) -> bool {
        self.number(DateTime::UNIX_EPOCH).is_some()
    }

    /// The instant that a number stands for: seconds where nothing else is configured.
    pub(crate) fn instant_of(self, number: i64) -> Option<DateTime<Utc>> {
        match self {
            Self::Rfc3339 | Self::Rails | Self::UnixSeconds => DateTime::from_timestamp(number, 0),
            Self::UnixMilliseconds => DateTime::from_timestamp_millis(number),
        }
    }
}

/// Reads an instant from text in a spelling that databases commonly use: RFC 3339, or date and
/// time without a zone (then UTC), or a date alone (then midnight UTC).
pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    let plain = text
        .strip_suffix(" UTC")
        .or_else(|| text.strip_suffix("+00"))
        .or_else(|| text.strip_suffix('Z'))
        .unwrap_or(text);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|pattern| NaiveDateTime::parse_from_str(plain, pattern).ok())
        .map(|at| at.and_utc())
        .or_else(|| {
            let day = NaiveDate::parse_from_str(plain, "%Y-%m-%d").ok()?;
            Some(midnight(day))
        })
}

/// The first instant of a day, in UTC.
fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// The middle of a day, which is the same day in nearly every other zone. A zone that skips it
/// gets the one of UTC.
pub fn noon(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let noon = midnight(day).naive_utc() + TimeDelta::hours(12);
    let local = noon.and_local_timezone(zone).earliest();
    local.map_or_else(|| noon.and_utc(), |noon| noon.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Pacific, US};

    use super::*;

    #[test]
    fn noon_is_on_the_day_of_its_zone() {
        let day = NaiveDate::from_ymd_opt(2026, 2, 27).unwrap();
        for (zone, text) in [
            (Tz::UTC, "2026-02-27T12:00:00+00:00"),
            (US::Hawaii, "2026-02-27T22:00:00+00:00"),
            (Pacific::Auckland, "2026-02-26T23:00:00+00:00"),
        ] {
            let noon = noon(day, zone);
            assert_eq!(noon.to_rfc3339(), text);
            assert_eq!(noon.with_timezone(&zone).date_naive(), day);
        }
    }

    #[test]
    fn a_number_is_an_instant_and_back() {
        let at = DateTime::from_timestamp_millis(1_772_460_306_250).unwrap();
        for (format, number, text) in [
            (TimestampFormat::UnixSeconds, 1_772_460_306, "1772460306"),
            (
                TimestampFormat::UnixMilliseconds,
                1_772_460_306_250,
                "1772460306250",
            ),
        ] {
            assert_eq!(format.number(at), Some(number));
            assert_eq!(format.write(at), text);
            let again = format.instant_of(number).unwrap();
            assert_eq!(again.timestamp(), at.timestamp());
        }
        let milliseconds = TimestampFormat::UnixMilliseconds;
        assert_eq!(milliseconds.instant_of(1_772_460_306_250), Some(at));
        assert!(!TimestampFormat::Rails.is_number() && milliseconds.is_number());
    }

    #[test]
    fn both_formats_are_utc_with_microseconds_and_are_read_back() {
        let at = DateTime::from_timestamp_micros(1_772_460_306_000_250).unwrap();
        for (format, text) in [
            (TimestampFormat::Rfc3339, "2026-03-02T14:05:06.000250Z"),
            (TimestampFormat::Rails, "2026-03-02 14:05:06.000250"),
        ] {
            assert_eq!(format.write(at), text);
            assert_eq!(read(text), Some(at));
        }
    }

    #[test]
    fn other_common_spellings_are_read_and_nonsense_is_not() {
        let at = DateTime::from_timestamp(1_772_460_306, 0).unwrap();
        assert_eq!(read("2026-03-02 14:05:06"), Some(at));
        assert_eq!(read("2026-03-02 14:05:06 UTC"), Some(at));
        assert_eq!(read("2026-03-02 14:05:06+00"), Some(at));
        assert_eq!(read("2026-03-02T15:05:06+01:00"), Some(at));
        assert_eq!(
            read("2026-03-02").unwrap().to_rfc3339(),
            "2026-03-02T00:00:00+00:00"
        );
        assert_eq!(read("soon"), None);
        assert_eq!(read(""), None);
    }
}
