//! By when something must happen about a notification of change.
//!
//! Source: Nacha Operating Rules 2013, §2.11 and Appendix Five, as amended: the originating bank tells
//! the originator within two banking days of the notification's settlement, the originator changes its
//! data within six banking days or before the next entry, whichever is later, and the originating bank
//! may refuse a notification within fifteen days.

use chrono::{Days, NaiveDate};

use crate::calendar::add_banking_days;

/// The last days, counted from the settlement of the notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrectionClock {
    /// Our bank must have told us.
    pub told_by: NaiveDate,
    /// We must have changed our data, unless the next entry is later.
    pub changed_by: NaiveDate,
    /// Our bank may refuse it.
    pub refused_by: NaiveDate,
}

/// The last days for a notification that settled on this date; `None` at the end of the calendar.
pub fn correction_clock(settled: NaiveDate) -> Option<CorrectionClock> {
    const TELL: u16 = 2;
    const CHANGE: u16 = 6;
    const REFUSE: Days = Days::new(15);
    Some(CorrectionClock {
        told_by: add_banking_days(settled, TELL)?,
        changed_by: add_banking_days(settled, CHANGE)?,
        refused_by: settled.checked_add_days(REFUSE)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_count_banking_days_but_for_the_refusal() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        // Thanksgiving is on the 26th.
        let clock = correction_clock(day("2026-11-24")).unwrap();
        assert_eq!(clock.told_by, day("2026-11-27"));
        assert_eq!(clock.changed_by, day("2026-12-03"));
        assert_eq!(clock.refused_by, day("2026-12-09"));
        assert_eq!(correction_clock(NaiveDate::MAX), None);
    }
}
