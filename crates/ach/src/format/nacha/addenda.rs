//! Addenda 98 and 99: why an entry came back, or what must be corrected.
//!
//! One addenda type has several layouts; the code in it says which one applies.

use chrono::NaiveDate;

use super::batch::BatchClass;
use super::corrected;
use super::dates::Dates;
use super::record::{Record, RecordField};
use crate::code::{ReturnCode, ReturnStage};
use crate::entry::{Coded, Corrected, EntryKind};
use crate::format::window::Window;
use crate::money::Money;

/// The addenda type.
pub(super) const TYPE: RecordField = RecordField::new("addenda type code", 2, 3);
/// The reason or change code.
pub(super) const CODE: RecordField = RecordField::new("reason code", 4, 6);
const ORIGINAL_TRACE: RecordField = RecordField::new("original entry trace number", 7, 21);
const DATE_OF_DEATH: RecordField = RecordField::new("date of death", 22, 27);
const INFORMATION: RecordField = RecordField::new("addenda information", 36, 79);
const TRACE: RecordField = RecordField::new("trace number", 80, 94);

/// Of an addenda 15.
const RECEIVER_ID: RecordField = RecordField::new("receiver identification number", 4, 18);

const IAT_AMOUNT: RecordField = RecordField::new("original entry amount", 36, 45);
const IAT_INFORMATION: RecordField = RecordField::new("addenda information", 46, 79);

const ORIGINAL_SETTLEMENT: RecordField = RecordField::new("original settlement date", 36, 38);
const RETURN_TRACE: RecordField = RecordField::new("return trace number", 39, 53);
const RETURN_SETTLEMENT: RecordField = RecordField::new("return settlement date", 54, 56);
const RETURN_CODE: RecordField = RecordField::new("return reason code", 57, 58);
const DISHONOR_INFORMATION: RecordField = RecordField::new("addenda information", 59, 79);
const DISHONOR_TRACE: RecordField = RecordField::new("dishonored return trace number", 59, 73);
const DISHONOR_CODE: RecordField = RecordField::new("dishonored return reason code", 77, 78);

const CORRECTED: RecordField = RecordField::new("corrected data", 36, 70);
const REFUSED_CORRECTED: RecordField = RecordField::new("corrected data", 36, 64);
const REFUSED_CODE: RecordField = RecordField::new("change code", 65, 67);

/// The types of addenda that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddendaType {
    /// 99: a return in one of its stages.
    Return,
    /// 98: a correction, or the refusal of one.
    Correction,
    /// Payment data of the original entry (02, 05, 10 to 18).
    Payment,
}

impl AddendaType {
    /// The type of an addenda record; `None` when it is unknown.
    pub(super) fn of(record: &Record) -> Option<Self> {
        match record.cells(TYPE) {
            b"99" => Some(Self::Return),
            b"98" => Some(Self::Correction),
            b"02" | b"05" | [b'1', b'0'..=b'8'] => Some(Self::Payment),
            _ => None,
        }
    }
}

/// The receiver's id in an addenda 15 of an IAT entry, where the others have it in their detail.
pub(super) fn receiver_id(record: &Record, class: BatchClass) -> Option<String> {
    let has_it = class == BatchClass::International && record.cells(TYPE) == b"15";
    has_it.then(|| record.text(RECEIVER_ID)).flatten()
}

/// Whether the code of an addenda 98 or 99 is a change code, such as `C02`.
pub(super) fn has_change_code(record: &Record) -> bool {
    let code = record.cells(CODE);
    code[0].eq_ignore_ascii_case(&b'C') && code[1..].iter().all(u8::is_ascii_digit)
}

/// What an addenda 98 or 99 says about its entry.
#[derive(Debug)]
pub(super) struct AddendaContent {
    pub(super) kind: EntryKind,
    pub(super) original_trace: Option<String>,
    pub(super) return_trace: Option<String>,
    pub(super) original_amount: Option<Money>,
    pub(super) original_settled_on: Option<NaiveDate>,
    pub(super) description: Option<String>,
    pub(super) unreadable_dates: Vec<RecordField>,
    pub(super) unreadable_amount: Option<RecordField>,
    /// Whether a routing number lacked a digit that could be computed.
    pub(super) has_completed_routing: bool,
}

impl AddendaContent {
    /// Reads an addenda 99. `reference` is the date of the file. `None` when the code is blank.
    pub(super) fn of_return(
        record: &Record,
        class: BatchClass,
        reference: NaiveDate,
    ) -> Option<Self> {
        let code = record.upper(CODE)?;
        let mut dates = Dates::of(record, reference);
        let content = match ReturnStage::of_code(&code) {
            ReturnStage::Dishonored => Self::dishonored(code, record, &mut dates),
            ReturnStage::Contested => Self::contested(code, record, &mut dates),
            ReturnStage::Return => Self::returned(code, record, class, &mut dates),
        };
        Some(Self {
            unreadable_dates: dates.unreadable,
            ..content
        })
    }

    /// Reads an addenda 98. `None` when the code is blank.
    pub(super) fn of_correction(record: &Record, class: BatchClass) -> Option<Self> {
        let code = record.upper(CODE)?;
        let is_refusal = matches!(code.as_bytes(), [b'C', b'6', b'1'..=b'9']);
        let code = Coded::from(code);
        let mut is_completed = false;
        let kind = if is_refusal {
            let refused = record.upper(REFUSED_CODE).map(Coded::from);
            let data = record.untrimmed(REFUSED_CORRECTED);
            let corrected = corrected::split(refused.as_ref().and_then(Coded::known), &data, class);
            EntryKind::RefusedCorrection {
                code,
                refused,
                corrected,
            }
        } else {
            let data = record.untrimmed(CORRECTED);
            let corrected = corrected::split(code.known(), &data, class);
            let is_other =
                |part: &Corrected| matches!(part, Corrected::Routing(text) if !data.contains(text));
            is_completed = corrected.iter().any(is_other);
            EntryKind::Correction { code, corrected }
        };
        Some(Self {
            return_trace: record.trace(TRACE),
            has_completed_routing: is_completed,
            ..Self::new(kind, record)
        })
    }

    fn new(kind: EntryKind, record: &Record) -> Self {
        Self {
            kind,
            original_trace: record.trace(ORIGINAL_TRACE),
            return_trace: None,
            original_amount: None,
            original_settled_on: None,
            description: None,
            unreadable_dates: Vec::new(),
            unreadable_amount: None,
            has_completed_routing: false,
        }
    }

    fn returned(code: String, record: &Record, class: BatchClass, dates: &mut Dates<'_>) -> Self {
        let has_date_of_death = matches!(code.as_str(), "R14" | "R15");
        let kind = EntryKind::Return {
            code: code.into(),
            date_of_death: has_date_of_death
                .then(|| dates.near(DATE_OF_DEATH, Window::DEATH))
                .flatten(),
        };
        let content = Self {
            return_trace: record.trace(TRACE),
            description: record.text(INFORMATION),
            ..Self::new(kind, record)
        };
        if class != BatchClass::International {
            return content;
        }
        let amount = record.number(IAT_AMOUNT);
        let amount = amount.and_then(|minor| i64::try_from(minor).ok());
        let is_unreadable = amount.is_none() && !record.is_blank(IAT_AMOUNT);
        // Zeros say that no amount is given here.
        let original_amount = amount.filter(|minor| *minor > 0);
        Self {
            original_amount: original_amount.map(Money::cents),
            unreadable_amount: is_unreadable.then_some(IAT_AMOUNT),
            description: record.text(IAT_INFORMATION),
            ..content
        }
    }

    fn dishonored(code: String, record: &Record, dates: &mut Dates<'_>) -> Self {
        let kind = EntryKind::Dishonored {
            code: code.into(),
            return_code: short_code(record, RETURN_CODE),
            return_settled_on: dates.day_of_year(RETURN_SETTLEMENT),
        };
        Self {
            return_trace: record.trace(RETURN_TRACE),
            description: record.text(DISHONOR_INFORMATION),
            ..Self::new(kind, record)
        }
    }

    fn contested(code: String, record: &Record, dates: &mut Dates<'_>) -> Self {
        let kind = EntryKind::Contested {
            code: code.into(),
            return_code: short_code(record, RETURN_CODE),
            dishonor_code: short_code(record, DISHONOR_CODE),
            dishonor_trace: record.trace(DISHONOR_TRACE),
            return_settled_on: dates.day_of_year(RETURN_SETTLEMENT),
        };
        Self {
            return_trace: record.trace(RETURN_TRACE),
            original_settled_on: dates.day_of_year(ORIGINAL_SETTLEMENT),
            ..Self::new(kind, record)
        }
    }
}

/// A return reason code written without its `R`.
fn short_code(record: &Record, field: RecordField) -> Option<Coded<ReturnCode>> {
    let digits = record.upper(field)?;
    Some(format!("R{digits}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::CharacterLayout;

    fn read(text: &str) -> AddendaContent {
        let reference = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
        let record = Record::new(text.as_bytes(), CharacterLayout::Ascii);
        AddendaContent::of_return(&record, BatchClass::Domestic, reference).unwrap()
    }

    #[test]
    fn the_code_decides_the_stage_even_when_the_table_does_not_have_it() {
        for number in 0..100 {
            let kind = read(&format!("799R{number:02}")).kind;
            let expected = match number {
                61..=70 => "dishonored",
                71..=77 => "contested",
                _ => "return",
            };
            assert_eq!(kind.as_str(), expected, "R{number:02}");
        }
    }

    #[test]
    fn a_date_of_death_belongs_to_r14_and_r15_only() {
        let date = |code: &str| match read(&format!("799{code}061000050000001260701")).kind {
            EntryKind::Return { date_of_death, .. } => date_of_death,
            other => panic!("{other:?}"),
        };
        assert_eq!(date("R14"), NaiveDate::from_ymd_opt(2026, 7, 1));
        assert_eq!(date("r15"), NaiveDate::from_ymd_opt(2026, 7, 1));
        assert_eq!(date("R01"), None);
    }

    #[test]
    fn a_contested_return_names_both_earlier_stages() {
        let earlier = [
            "061000050000001",
            "260601",
            "06100005",
            "178",
            "061000050000009",
        ];
        let later = ["180", "01", "071000050000003", "182", "68"];
        let stage = read(&format!("799R73{}{}", earlier.concat(), later.concat()));
        assert_eq!(
            stage.kind,
            EntryKind::Contested {
                code: Coded::Known(ReturnCode::R73),
                return_code: Some(Coded::Known(ReturnCode::R01)),
                dishonor_code: Some(Coded::Known(ReturnCode::R68)),
                dishonor_trace: Some("071000050000003".into()),
                return_settled_on: NaiveDate::from_ymd_opt(2026, 6, 29),
            }
        );
        assert_eq!(stage.return_trace.as_deref(), Some("061000050000009"));
        assert_eq!(
            stage.original_settled_on,
            NaiveDate::from_ymd_opt(2026, 6, 27)
        );
    }
}
