//! The one conversion between the instants of chrono and the timestamps of protobuf.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

/// An instant as a timestamp, to the nanosecond.
#[must_use]
pub fn to_proto(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        // Always fits: chrono counts less than two thousand million, also in a leap second.
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

/// A timestamp as an instant; `None` when it is outside the years that chrono knows, or its
/// nanoseconds are not those of one second.
#[must_use]
pub fn from_proto(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_keeps_its_nanoseconds_also_before_1970() {
        for (seconds, nanos) in [(1_772_460_306, 250), (-1, 999_999_999), (0, 0)] {
            let at = DateTime::from_timestamp(seconds, nanos).unwrap();
            assert_eq!(from_proto(to_proto(at)), Some(at));
        }
    }

    #[test]
    fn a_timestamp_that_is_no_instant_is_refused() {
        for (seconds, nanos) in [(0, -1), (0, i32::MAX), (i64::MAX, 0)] {
            assert_eq!(from_proto(Timestamp { seconds, nanos }), None);
        }
    }
}
