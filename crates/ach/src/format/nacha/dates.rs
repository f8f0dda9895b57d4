//! The dates of a record. None of them has a year of four digits.

use chrono::{Datelike, NaiveDate};

use super::record::{Record, RecordField};
use crate::format::window::Window;
use crate::julian;

/// Reads the dates of one record, and keeps the list of those that could not be read. Blanks
/// and zeros are not a date, and not a fault.
pub(super) struct Dates<'a> {
    record: &'a Record,
    /// The date of the file.
    reference: NaiveDate,
    pub(super) unreadable: Vec<RecordField>,
    /// The dates that lie too far from the file's own.
    pub(super) implausible: Vec<(RecordField, NaiveDate)>,
}

impl<'a> Dates<'a> {
    pub(super) fn of(record: &'a Record, reference: NaiveDate) -> Self {
        Self {
            record,
            reference,
            unreadable: Vec::new(),
            implausible: Vec::new(),
        }
    }

    /// A date written YYMMDD that lies near the file's own. What lies elsewhere is a placeholder, such
    /// as 000101, or belongs to something else: it is no date of the file.
    pub(super) fn near(&mut self, field: RecordField, window: Window) -> Option<NaiveDate> {
        let date = self.date(field)?;
        let is_near = window.holds(date, self.reference);
        if !is_near {
            self.implausible.push((field, date));
        }
        is_near.then_some(date)
    }

    /// A date written YYMMDD. Effective dates and dates of death are before the file, or at most
    /// a little after it, so the year is at most the one after the file's.
    pub(super) fn date(&mut self, field: RecordField) -> Option<NaiveDate> {
        let latest_year = self.reference.year().saturating_add(1);
        self.read(field, |record| {
            let number = record.number(field).filter(|_| record.is_digits(field))?;
            let pair = |place: u64| u32::try_from(number / place % 100).ok();
            let century = latest_year - latest_year.rem_euclid(100);
            let year = century + i32::try_from(pair(10_000)?).ok()?;
            let year = if year > latest_year { year - 100 } else { year };
            NaiveDate::from_ymd_opt(year, pair(100)?, pair(1)?)
        })
    }

    /// A day of the year without its year.
    pub(super) fn day_of_year(&mut self, field: RecordField) -> Option<NaiveDate> {
        let reference = self.reference;
        self.read(field, |record| {
            let day = u16::try_from(record.number(field)?).ok()?;
            julian::resolve(day, reference)
        })
    }

    fn read(
        &mut self,
        field: RecordField,
        date: impl FnOnce(&Record) -> Option<NaiveDate>,
    ) -> Option<NaiveDate> {
        let mut cells = self.record.cells(field).iter();
        if cells.all(|cell| matches!(cell, b' ' | b'0')) {
            return None;
        }
        let date = date(self.record);
        if date.is_none() {
            self.unreadable.push(field);
        }
        date
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::CharacterLayout;

    #[test]
    fn a_two_digit_year_is_not_in_the_future() {
        const FIELD: RecordField = RecordField::new("field", 3, 8);
        let read = |text: &str| {
            let record = Record::new(text.as_bytes(), CharacterLayout::Ascii);
            let reference = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
            let mut dates = Dates::of(&record, reference);
            (dates.date(FIELD), dates.unreadable.is_empty())
        };
        let date = |year, month, day| (NaiveDate::from_ymd_opt(year, month, day), true);
        assert_eq!(read("61260705"), date(2026, 7, 5));
        assert_eq!(read("61271231"), date(2027, 12, 31));
        assert_eq!(read("61991231"), date(1999, 12, 31));
        assert_eq!(read("61000000"), (None, true));
        assert_eq!(read("61      "), (None, true));
        for bad in ["61260230", "6126-1-1", "61PAYROL", "61 60705"] {
            assert_eq!(read(bad), (None, false), "{bad}");
        }
    }
}
