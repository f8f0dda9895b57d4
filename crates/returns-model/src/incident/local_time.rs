//! A time that people read in their own zone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// A moment, and the zone in which people think of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    pub at: DateTime<Utc>,
    pub zone: Tz,
}

impl LocalTime {
    /// A moment that belongs to no zone.
    pub fn utc(at: DateTime<Utc>) -> Self {
        Self { at, zone: Tz::UTC }
    }
}

#[cfg(test)]
impl Default for LocalTime {
    fn default() -> Self {
        Self::utc(DateTime::UNIX_EPOCH)
    }
}

/// To the minute, in UTC and in the zone.
impl std::fmt::Display for LocalTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.at.format("%Y-%m-%d %H:%M UTC"))?;
        if self.zone == Tz::UTC {
            return Ok(());
        }
        let local = self.at.with_timezone(&self.zone);
        // A time of day alone would be of the wrong day at night.
        let format = if local.date_naive() == self.at.date_naive() {
            "%H:%M %Z"
        } else {
            "%Y-%m-%d %H:%M %Z"
        };
        write!(f, " ({})", local.format(format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc_and_in_its_zone_with_the_day_where_that_differs() {
        let shown = |at: &str, zone| {
            let at = at.parse().unwrap();
            LocalTime { at, zone }.to_string()
        };
        let new_york = Tz::America__New_York;
        let morning = "2026-11-20T14:00:00Z";
        assert_eq!(shown(morning, Tz::UTC), "2026-11-20 14:00 UTC");
        assert_eq!(shown(morning, new_york), "2026-11-20 14:00 UTC (09:00 EST)");
        assert_eq!(
            shown("2026-11-20T02:00:00Z", new_york),
            "2026-11-20 02:00 UTC (2026-11-19 21:00 EST)"
        );
    }
}
