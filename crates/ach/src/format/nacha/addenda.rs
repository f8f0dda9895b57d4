//! Addenda 98 and 99: why an entry came back, or what must be corrected.
//!
//! One addenda type has several layouts; the code in it says which one applies.

use chrono::NaiveDate;

use super::batch::Class;
use super::corrected;
use super::record::{Field, Record, latest_year};
use crate::code::{CorrectionCode, ReturnCode};
use crate::entry::{Coded, EntryKind};
use crate::money::Money;

/// The addenda type.
pub(super) const TYPE: Field = Field::new("addenda type code", 2, 3);
const CODE: Field = Field::new("reason code", 4, 6);
const ORIGINAL_TRACE: Field = Field::new("original entry trace number", 7, 21);
const DATE_OF_DEATH: Field = Field::new("date of death", 22, 27);
const INFORMATION: Field = Field::new("addenda information", 36, 79);
const TRACE: Field = Field::new("trace number", 80, 94);

const IAT_AMOUNT: Field = Field::new("original entry amount", 36, 45);
const IAT_INFORMATION: Field = Field::new("addenda information", 46, 79);

const ORIGINAL_SETTLEMENT: Field = Field::new("original settlement date", 36, 38);
const RETURN_TRACE: Field = Field::new("return trace number", 39, 53);
const RETURN_SETTLEMENT: Field = Field::new("return settlement date", 54, 56);
const RETURN_CODE: Field = Field::new("return reason code", 57, 58);
const DISHONOR_INFORMATION: Field = Field::new("addenda information", 59, 79);
const DISHONOR_TRACE: Field = Field::new("dishonored return trace number", 59, 73);
const DISHONOR_CODE: Field = Field::new("dishonored return reason code", 77, 78);

const CORRECTED: Field = Field::new("corrected data", 36, 70);
const REFUSED_CORRECTED: Field = Field::new("corrected data", 36, 64);
const REFUSED_CODE: Field = Field::new("change code", 65, 67);

/// What an addenda record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// 99: a return in one of its stages.
    Return,
    /// 98: a correction, or the refusal of one.
    Correction,
    /// Payment data of the original entry (02, 05, 10 to 18).
    Payment,
}

/// What an addenda record says, by its type; `None` when the type is unknown.
pub(super) fn purpose(record: &Record) -> Option<Purpose> {
    match record.cells(TYPE) {
        b"99" => Some(Purpose::Return),
        b"98" => Some(Purpose::Correction),
        b"02" | b"05" | [b'1', b'0'..=b'8'] => Some(Purpose::Payment),
        _ => None,
    }
}

/// One stage of what happened to an entry.
#[derive(Debug)]
pub(super) struct AddendaContent {
    pub(super) kind: EntryKind,
    pub(super) original_trace: Option<String>,
    pub(super) return_trace: Option<String>,
    pub(super) original_amount: Option<Money>,
    pub(super) original_settled_on: Option<NaiveDate>,
    pub(super) description: Option<String>,
    /// Fields with something in them that could not be read.
    pub(super) unreadable: Vec<Field>,
}

/// An addenda without a code.
#[derive(Debug)]
pub(super) struct NoCode(pub(super) Field);

impl AddendaContent {
    /// Reads an addenda 99. `reference` is the date of the file.
    pub(super) fn of_return(
        record: &Record,
        class: Class,
        reference: NaiveDate,
    ) -> Result<Self, NoCode> {
        let code = record.upper(CODE).ok_or(NoCode(CODE))?;
        let mut fields = Fields {
            record,
            reference,
            unreadable: Vec::new(),
        };
        let mut stage = match code.as_bytes() {
            [b'R', b'6', b'1'..=b'9'] | b"R70" => fields.dishonored(code),
            [b'R', b'7', b'1'..=b'7'] => fields.contested(code),
            _ if class == Class::International => fields.international_return(code),
            _ => fields.plain_return(code),
        };
        stage.original_trace = record.trace(ORIGINAL_TRACE);
        stage.unreadable = fields.unreadable;
        Ok(stage)
    }

    /// Reads an addenda 98.
    pub(super) fn of_correction(record: &Record, class: Class) -> Result<Self, NoCode> {
        let code = record.upper(CODE).ok_or(NoCode(CODE))?;
        let is_refusal = matches!(code.as_bytes(), [b'C', b'6', b'1'..=b'9']);
        let code = correction_code(code);
        let kind = if is_refusal {
            let refused = record.upper(REFUSED_CODE).map(correction_code);
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
            EntryKind::Correction { code, corrected }
        };
        let mut stage = Self::new(kind);
        stage.original_trace = record.trace(ORIGINAL_TRACE);
        stage.return_trace = record.trace(TRACE);
        Ok(stage)
    }

    fn new(kind: EntryKind) -> Self {
        Self {
            kind,
            original_trace: None,
            return_trace: None,
            original_amount: None,
            original_settled_on: None,
            description: None,
            unreadable: Vec::new(),
        }
    }
}

/// The fields of one addenda 99, with the list of those that could not be read.
struct Fields<'a> {
    record: &'a Record,
    reference: NaiveDate,
    unreadable: Vec<Field>,
}

impl Fields<'_> {
    fn plain_return(&mut self, code: String) -> AddendaContent {
        let has_date_of_death = matches!(code.as_str(), "R14" | "R15");
        let date_of_death = if has_date_of_death {
            self.date(DATE_OF_DEATH)
        } else {
            None
        };
        let code = return_code(code);
        let mut stage = AddendaContent::new(EntryKind::Return {
            code,
            date_of_death,
        });
        stage.return_trace = self.record.trace(TRACE);
        stage.description = self.record.text(INFORMATION);
        stage
    }

    fn international_return(&mut self, code: String) -> AddendaContent {
        let mut stage = self.plain_return(code);
        let amount = self
            .record
            .number(IAT_AMOUNT)
            .and_then(|minor| i64::try_from(minor).ok());
        if amount.is_none() && !self.record.is_blank(IAT_AMOUNT) {
            self.unreadable.push(IAT_AMOUNT);
        }
        stage.original_amount = amount.map(Money::cents);
        stage.description = self.record.text(IAT_INFORMATION);
        stage
    }

    fn dishonored(&mut self, code: String) -> AddendaContent {
        let mut stage = AddendaContent::new(EntryKind::Dishonored {
            code: return_code(code),
            return_code: self.short_code(RETURN_CODE),
            return_settled_on: self.day_of_year(RETURN_SETTLEMENT),
        });
        stage.return_trace = self.record.trace(RETURN_TRACE);
        stage.description = self.record.text(DISHONOR_INFORMATION);
        stage
    }

    fn contested(&mut self, code: String) -> AddendaContent {
        let mut stage = AddendaContent::new(EntryKind::Contested {
            code: return_code(code),
            return_code: self.short_code(RETURN_CODE),
            dishonor_code: self.short_code(DISHONOR_CODE),
            dishonor_trace: self.record.trace(DISHONOR_TRACE),
            return_settled_on: self.day_of_year(RETURN_SETTLEMENT),
        });
        stage.return_trace = self.record.trace(RETURN_TRACE);
        stage.original_settled_on = self.day_of_year(ORIGINAL_SETTLEMENT);
        stage
    }

    /// A return reason code written without its `R`.
    fn short_code(&self, field: Field) -> Option<Coded<ReturnCode>> {
        let digits = self.record.upper(field)?;
        Some(return_code(format!("R{digits}")))
    }

    fn date(&mut self, field: Field) -> Option<NaiveDate> {
        let date = self.record.date(field, latest_year(self.reference));
        date.unwrap_or_else(|()| {
            self.unreadable.push(field);
            None
        })
    }

    fn day_of_year(&mut self, field: Field) -> Option<NaiveDate> {
        self.record
            .day_of_year(field, self.reference)
            .unwrap_or_else(|()| {
                self.unreadable.push(field);
                None
            })
    }
}

/// The code of the table, or the text as it came. The table is in order, so a search by
/// halves is much faster than comparing with each of its codes.
fn return_code(text: String) -> Coded<ReturnCode> {
    match ReturnCode::ALL.binary_search_by(|code| code.as_str().cmp(text.as_str())) {
        Ok(index) => Coded::Known(ReturnCode::ALL[index]),
        Err(_) => Coded::Unknown(text),
    }
}

fn correction_code(text: String) -> Coded<CorrectionCode> {
    match text.parse() {
        Ok(code) => Coded::Known(code),
        Err(_) => Coded::Unknown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::Layout;

    fn read(text: &str) -> AddendaContent {
        let reference = NaiveDate::from_ymd_opt(2026, 7, 6).unwrap();
        let record = Record::new(text.as_bytes(), Layout::Ascii);
        AddendaContent::of_return(&record, Class::Domestic, reference).unwrap()
    }

    #[test]
    fn every_code_of_the_table_is_found_in_it() {
        for code in ReturnCode::ALL {
            assert_eq!(return_code(code.to_string()), Coded::Known(*code));
        }
        assert_eq!(return_code("R97".into()), Coded::Unknown("R97".into()));
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
