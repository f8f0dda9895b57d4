//! Which dates a file can mean. What lies outside is a placeholder that nobody meant as a date.

use chrono::{Days, NaiveDate};

/// The days before and after the file's own date that a date may lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    before: u64,
    after: u64,
}

impl Window {
    /// When an original entry took effect. Breaches of warranty come back for up to two years, and
    /// a rejected entry may have been meant for later.
    pub(crate) const ORIGINAL: Self = Self {
        before: 2 * 366,
        after: 366,
    };
    /// When the original settled, as the system of record has it. A breach of warranty is found out
    /// years later; a placeholder is far from everything.
    pub(crate) const RECORDED: Self = Self {
        before: 10 * 366,
        after: 366,
    };
    /// When the customer died. A bank may learn of it much later.
    pub(in crate::format) const DEATH: Self = Self {
        before: 30 * 366,
        after: 31,
    };
    /// When the file was made. An archived file may be imported long after.
    pub(in crate::format) const CREATION: Self = Self {
        before: 10 * 366,
        after: 366,
    };

    /// Whether `date` is one that a file of the day `own` can mean.
    pub(crate) fn holds(self, date: NaiveDate, own: NaiveDate) -> bool {
        let first = own.checked_sub_days(Days::new(self.before));
        let last = own.checked_add_days(Days::new(self.after));
        first.is_none_or(|first| first <= date) && last.is_none_or(|last| date <= last)
    }
}
