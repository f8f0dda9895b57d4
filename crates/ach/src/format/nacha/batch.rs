//! The batch header: what its entries have in common.

use chrono::NaiveDate;

use super::record::{Field, Record, latest_year};
use super::refusal::refuse;
use super::totals::Sums;
use crate::entry::FilePosition;
use crate::format::FileRejected;

const COMPANY_NAME: Field = Field::new("company name", 5, 20);
const DESCRIPTION: Field = Field::new("company entry description", 54, 63);
const EFFECTIVE_DATE: Field = Field::new("effective entry date", 70, 75);
const SETTLEMENT_DATE: Field = Field::new("settlement date", 76, 78);

/// Service class: positions are the same in batch header and batch control.
pub(super) const SERVICE_CLASS: Field = Field::new("service class code", 2, 4);
/// Batch number: positions are the same in batch header and batch control.
pub(super) const BATCH_NUMBER: Field = Field::new("batch number", 88, 94);
/// Company identification in the header.
pub(super) const COMPANY_ID: Field = Field::new("company identification", 41, 50);
const SEC: Field = Field::new("standard entry class", 51, 53);

/// Which entry and addenda layout a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Every class but those below.
    Domestic,
    /// CIE and MTE, in which name and identification swap places.
    NameFirst,
    /// IAT, and corrections of IAT entries.
    International,
    /// ADV: accounting entries, which are never returns.
    Accounting,
}

/// A batch that is being read.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) at: FilePosition,
    pub(super) has_header: bool,
    pub(super) class: Class,
    pub(super) sec: Option<String>,
    pub(super) company_name: Option<String>,
    pub(super) company_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) service_class: Option<String>,
    pub(super) number: Option<u64>,
    pub(super) settlement_date: Option<NaiveDate>,
    pub(super) original_date: Option<NaiveDate>,
    /// The dates of the header that could not be read.
    pub(super) unreadable: Vec<Field>,
    pub(super) sums: Sums,
}

impl Batch {
    /// A batch without a header, begun by the record at `at`.
    pub(super) fn without_header(at: FilePosition) -> Self {
        Self {
            at,
            has_header: false,
            class: Class::Domestic,
            sec: None,
            company_name: None,
            company_id: None,
            description: None,
            service_class: None,
            number: None,
            settlement_date: None,
            original_date: None,
            unreadable: Vec::new(),
            sums: Sums::default(),
        }
    }

    /// Reads a batch header. `reference` is the date of the file.
    pub(super) fn read(
        at: FilePosition,
        record: &Record,
        reference: NaiveDate,
    ) -> Result<Self, FileRejected> {
        if record.number(SERVICE_CLASS).is_none() {
            let why = "a batch header has three digits here, such as 200 or 225";
            return Err(refuse(at, Some(SERVICE_CLASS.to_string()), why));
        }
        let sec = record.upper(SEC);
        if sec
            .as_ref()
            .is_some_and(|sec| !sec.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            let why = "a batch header has letters here, such as PPD or COR";
            return Err(refuse(at, Some(SEC.to_string()), why));
        }
        let mut batch = Self::without_header(at);
        batch.has_header = true;
        let company_name = record.text(COMPANY_NAME);
        let of_international_correction = company_name
            .as_ref()
            .is_some_and(|name| name.eq_ignore_ascii_case("IATCOR"));
        batch.class = match sec.as_deref() {
            Some("IAT") => Class::International,
            Some("ADV") => Class::Accounting,
            Some("CIE" | "MTE") => Class::NameFirst,
            Some(_) | None if of_international_correction => Class::International,
            Some(_) | None => Class::Domestic,
        };
        batch.sec = sec;
        // IATCOR in the place of the name says what the batch is, not whose it is.
        batch.company_name = company_name.filter(|_| batch.class != Class::International);
        batch.company_id = record.text(COMPANY_ID);
        batch.description = record.upper(DESCRIPTION);
        batch.service_class = record.text(SERVICE_CLASS);
        batch.number = record.number(BATCH_NUMBER);
        batch.read_dates(record, reference);
        Ok(batch)
    }

    fn read_dates(&mut self, record: &Record, reference: NaiveDate) {
        match record.date(EFFECTIVE_DATE, latest_year(reference)) {
            Ok(date) => self.original_date = date,
            Err(()) => self.unreadable.push(EFFECTIVE_DATE),
        }
        match record.day_of_year(SETTLEMENT_DATE, reference) {
            Ok(date) => self.settlement_date = date,
            Err(()) => self.unreadable.push(SETTLEMENT_DATE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::Layout;

    const AT: FilePosition = FilePosition { line: 2, byte: 95 };

    fn read(text: &str) -> Result<Batch, FileRejected> {
        let reference = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        Batch::read(AT, &Record::new(text.as_bytes(), Layout::Ascii), reference)
    }

    #[test]
    fn a_batch_header_gives_what_its_entries_share() {
        let batch = read(
            "5225ORCHARD SUPPLY                      1452036987ppdFRUIT     251229251230364\
             1061000050000017",
        )
        .unwrap();
        assert_eq!(batch.class, Class::Domestic);
        assert_eq!(batch.sec.as_deref(), Some("PPD"));
        assert_eq!(batch.company_name.as_deref(), Some("ORCHARD SUPPLY"));
        assert_eq!(batch.company_id.as_deref(), Some("1452036987"));
        assert_eq!(batch.description.as_deref(), Some("FRUIT"));
        assert_eq!(batch.number, Some(17));
        assert_eq!(batch.original_date, NaiveDate::from_ymd_opt(2025, 12, 30));
        assert_eq!(batch.settlement_date, NaiveDate::from_ymd_opt(2025, 12, 30));
    }

    #[test]
    fn a_correction_of_international_entries_has_their_layout_and_no_company_name() {
        let batch =
            read("5225IATCOR          FF3               CA1452036987CORFRUIT     ").unwrap();
        assert_eq!(
            (batch.class, batch.company_name),
            (Class::International, None)
        );
    }

    #[test]
    fn dates_that_cannot_be_read_are_named() {
        let batch =
            read("5225ORCHARD SUPPLY                      1452036987PPDFRUIT           261399999")
                .unwrap();
        assert_eq!(batch.unreadable.len(), 2);
    }

    #[test]
    fn what_is_no_batch_header_refuses_the_file() {
        for (text, field) in [
            ("5 returns follow", "service class code (2-4)"),
            (&*"5".repeat(94), "standard entry class (51-53)"),
        ] {
            assert_eq!(
                read(text).unwrap_err().field.as_deref(),
                Some(field),
                "{text}"
            );
        }
    }
}
