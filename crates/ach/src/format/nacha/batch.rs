//! The batch header: what its entries have in common.

use chrono::NaiveDate;

use super::dates::Dates;
use super::record::{Record, RecordField};
use super::reject;
use super::totals::Sums;
use crate::entry::FilePosition;
use crate::format::FileRejected;
use crate::format::window::Window;

const COMPANY_NAME: RecordField = RecordField::new("company name", 5, 20);
const DESCRIPTION: RecordField = RecordField::new("company entry description", 54, 63);
const EFFECTIVE_DATE: RecordField = RecordField::new("effective entry date", 70, 75);
const SETTLEMENT_DATE: RecordField = RecordField::new("settlement date", 76, 78);

/// Service class: positions are the same in batch header and batch control.
pub(super) const SERVICE_CLASS: RecordField = RecordField::new("service class code", 2, 4);
/// Batch number: positions are the same in batch header and batch control.
pub(super) const BATCH_NUMBER: RecordField = RecordField::new("batch number", 88, 94);
/// Company identification in the header.
pub(super) const COMPANY_ID: RecordField = RecordField::new("company identification", 41, 50);
const SEC: RecordField = RecordField::new("standard entry class", 51, 53);
const ODFI: RecordField = RecordField::new("originating bank", 80, 87);

/// Which entry and addenda layout a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum BatchClass {
    /// Every class but those below.
    Domestic,
    /// CIE and MTE, in which name and identification swap places.
    NameFirst,
    /// ARC, BOC, RCK, TRC and XCK, in which the identification is a check serial number.
    Check,
    /// POP, with a shorter check serial number, and the place of the terminal after it.
    PointOfPurchase,
    /// SHR (card data), ACK and ATX (the trace that they acknowledge): no identification.
    NoIndividualId,
    /// IAT, and corrections of IAT entries.
    International,
    /// ADV: accounting entries, which are never returns.
    Accounting,
}

/// A batch that is being read.
#[derive(Debug)]
pub(super) struct OpenBatch {
    pub(super) at: FilePosition,
    pub(super) has_header: bool,
    pub(super) class: BatchClass,
    pub(super) sec: Option<String>,
    pub(super) company_name: Option<String>,
    pub(super) company_id: Option<String>,
    pub(super) description: Option<String>,
    pub(super) service_class: Option<String>,
    pub(super) number: Option<u64>,
    /// The originating bank of forward entries, eight digits.
    pub(super) odfi: Option<String>,
    /// The code with which the bank rejected the whole batch.
    pub(super) reject_code: Option<String>,
    pub(super) settlement_date: Option<NaiveDate>,
    pub(super) original_date: Option<NaiveDate>,
    /// The dates of the header that could not be read.
    pub(super) unreadable: Vec<RecordField>,
    /// The dates of the header that lie too far from the file's own.
    pub(super) implausible: Vec<(RecordField, NaiveDate)>,
    pub(super) sums: Sums,
}

impl OpenBatch {
    /// A batch without a header, begun by the record at `at`.
    pub(super) fn without_header(at: FilePosition) -> Self {
        Self {
            at,
            has_header: false,
            class: BatchClass::Domestic,
            sec: None,
            company_name: None,
            company_id: None,
            description: None,
            service_class: None,
            number: None,
            odfi: None,
            reject_code: None,
            settlement_date: None,
            original_date: None,
            unreadable: Vec::new(),
            implausible: Vec::new(),
            sums: Sums::default(),
        }
    }

    /// Reads a batch header. `reference` is the date of the file.
    pub(super) fn read(
        at: FilePosition,
        record: &Record,
        reference: NaiveDate,
    ) -> Result<Self, FileRejected> {
        let malformed = |field, why| Err(FileRejected::new(why).at(at).in_field(field));
        if record.number(SERVICE_CLASS).is_none() {
            let why = "a batch header has three digits here, such as 200 or 225";
            return malformed(SERVICE_CLASS, why);
        }
        let sec = record.upper(SEC);
        let letters = |sec: &String| sec.bytes().all(|byte| byte.is_ascii_uppercase());
        if !sec.as_ref().is_none_or(letters) {
            let why = "a batch header has letters here, such as PPD or COR";
            return malformed(SEC, why);
        }
        let name = record.text(COMPANY_NAME);
        // IATCOR in the place of the name says what the batch is, not whose it is.
        let is_iat_correction = |name: &String| name.eq_ignore_ascii_case("IATCOR");
        let class = match sec.as_deref() {
            Some("IAT") => BatchClass::International,
            Some("ADV") => BatchClass::Accounting,
            Some("CIE" | "MTE") => BatchClass::NameFirst,
            Some("ARC" | "BOC" | "RCK" | "TRC" | "XCK") => BatchClass::Check,
            Some("POP") => BatchClass::PointOfPurchase,
            Some("SHR" | "ACK" | "ATX") => BatchClass::NoIndividualId,
            Some(_) | None if name.as_ref().is_some_and(is_iat_correction) => {
                BatchClass::International
            }
            Some(_) | None => BatchClass::Domestic,
        };
        let mut dates = Dates::of(record, reference);
        Ok(Self {
            at,
            has_header: true,
            class,
            sec,
            company_name: name.filter(|_| class != BatchClass::International),
            company_id: record.text(COMPANY_ID),
            description: record.upper(DESCRIPTION),
            service_class: record.text(SERVICE_CLASS),
            number: record.number(BATCH_NUMBER),
            odfi: record.text(ODFI).filter(|_| record.is_digits(ODFI)),
            reject_code: reject::code_of(record),
            original_date: dates.near(EFFECTIVE_DATE, Window::ORIGINAL),
            settlement_date: dates.day_of_year(SETTLEMENT_DATE),
            unreadable: dates.unreadable,
            implausible: dates.implausible,
            sums: Sums::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::CharacterLayout;

    const AT: FilePosition = FilePosition { line: 2, byte: 95 };

    fn read(text: &str) -> Result<OpenBatch, FileRejected> {
        let reference = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        OpenBatch::read(
            AT,
            &Record::new(text.as_bytes(), CharacterLayout::Ascii),
            reference,
        )
    }

    #[test]
    fn a_batch_header_gives_what_its_entries_share() {
        let batch = read(
            "5225ORCHARD SUPPLY                      1452036987ppdFRUIT     251229251230364\
             1061000050000017",
        )
        .unwrap();
        assert_eq!(batch.class, BatchClass::Domestic);
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
            (BatchClass::International, None)
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
    fn what_is_not_a_batch_header_rejects_the_file() {
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
