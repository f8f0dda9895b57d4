//! The entry detail: the returned entry itself, which its addenda explain.

use super::addenda::AddendaContent;
use super::batch::{BatchClass, OpenBatch};
use super::record::{Record, RecordField};
use super::reject;
use crate::entry::{AccountTail, Direction, Entry, EntryKeys, EntryKind, FilePosition, routing};
use crate::money::Money;

const TRANSACTION_CODE: RecordField = RecordField::new("transaction code", 2, 3);
const ROUTING: RecordField = RecordField::new("receiving bank", 4, 11);
const CHECK_DIGIT: RecordField = RecordField::new("check digit", 12, 12);
const ACCOUNT: RecordField = RecordField::new("account number", 13, 29);
const INDIVIDUAL_ID: RecordField = RecordField::new("individual identification", 40, 54);
const INDIVIDUAL_ID_LAST: RecordField = RecordField::new("individual identification", 55, 76);
const CHECK_SERIAL: RecordField = RecordField::new("check serial number", 40, 54);
const CHECK_SERIAL_POP: RecordField = RecordField::new("check serial number", 40, 48);
const ACCOUNT_IAT: RecordField = RecordField::new("account number", 40, 74);
const AMOUNT_ADV: RecordField = RecordField::new("amount", 28, 39);
const TRACE: RecordField = RecordField::new("trace number", 80, 94);
const SEQUENCE: RecordField = RecordField::new("entry sequence number", 88, 94);

/// The amount of every class but ADV.
pub(super) const AMOUNT: RecordField = RecordField::new("amount", 30, 39);
/// Whether addenda follow.
pub(super) const ADDENDA_INDICATOR: RecordField =
    RecordField::new("addenda record indicator", 79, 79);

/// An entry detail whose addenda are still to come. Its text is read only once an addenda makes
/// it a return.
#[derive(Debug)]
pub(super) struct EntryDetail {
    pub(super) at: FilePosition,
    record: Record,
    pub(super) amount_minor: Option<u64>,
    pub(super) direction: Direction,
    /// The code with which the bank rejected this entry alone.
    pub(super) reject_code: Option<String>,
    /// The receiver's id of an IAT entry, which stands in its addenda 15.
    pub(super) receiver_id: Option<String>,
}

impl EntryDetail {
    pub(super) fn new(at: FilePosition, record: Record, class: BatchClass) -> Self {
        let amount = if class == BatchClass::Accounting {
            AMOUNT_ADV
        } else {
            AMOUNT
        };
        let amount_minor = record.number(amount);
        let direction = direction(record.cells(TRANSACTION_CODE));
        let reject_code = reject::code_of(&record);
        Self {
            at,
            record,
            amount_minor,
            direction,
            reject_code,
            receiver_id: None,
        }
    }

    /// The amount in cents. A field of at most 12 digits always fits.
    pub(super) fn amount(&self) -> Option<i64> {
        self.amount_minor
            .and_then(|minor| i64::try_from(minor).ok())
    }

    pub(super) fn routing(&self) -> Option<u64> {
        self.record.number(ROUTING)
    }

    pub(super) fn says_no_addenda(&self) -> bool {
        self.record.cells(ADDENDA_INDICATOR) == b"0"
    }

    /// Whether the ninth digit of the routing number follows from the other eight. A routing number
    /// that is not nine digits has no such digit.
    pub(super) fn has_right_check_digit(&self) -> bool {
        let check = self.record.cells(CHECK_DIGIT);
        routing::check_digit(self.record.cells(ROUTING))
            .is_none_or(|digit| check == [digit] || !check[0].is_ascii_digit())
    }

    /// The transaction code as in the file.
    pub(super) fn transaction_code(&self) -> String {
        self.record.untrimmed(TRANSACTION_CODE).into_owned()
    }

    /// The entry that one of its addenda makes of it.
    pub(super) fn entry(&self, at: FilePosition, batch: &OpenBatch, said: AddendaContent) -> Entry {
        let record = &self.record;
        let entry = self.without_addenda(at, batch, said.kind);
        // The trace of a dishonor or a contest is its own, and not that of the return.
        let is_of_return = match entry.kind {
            EntryKind::Return { .. }
            | EntryKind::Correction { .. }
            | EntryKind::RefusedCorrection { .. }
            | EntryKind::ValidationFailure { .. } => true,
            EntryKind::Dishonored { .. } | EntryKind::Contested { .. } => false,
        };
        let own_trace = || is_of_return.then(|| record.trace(TRACE)).flatten();
        Entry {
            original_amount: said.original_amount,
            keys: EntryKeys {
                original_trace: said.original_trace,
                return_trace: said.return_trace.or_else(own_trace),
                ..entry.keys
            },
            odfi: record
                .is_digits(ROUTING)
                .then(|| record.text(ROUTING))
                .flatten(),
            description: said.description,
            original_date: entry.original_date.or(said.original_settled_on),
            ..entry
        }
    }

    /// The entry that came back with a reject code: it never entered the network. The code is in
    /// the place of the bank in its trace number, and the batch header names that bank.
    pub(super) fn rejected(&self, batch: &OpenBatch, code: String) -> Entry {
        let kind = EntryKind::ValidationFailure { code: Some(code) };
        let entry = self.without_addenda(self.at, batch, kind);
        let original_trace = if self.reject_code.is_some() {
            let sequence = self.record.text(SEQUENCE);
            let sequence = sequence.filter(|_| self.record.is_digits(SEQUENCE));
            let bank = batch.odfi.as_ref();
            bank.and_then(|bank| Some(format!("{bank}{}", sequence?)))
        } else {
            self.record.trace(TRACE)
        };
        Entry {
            keys: EntryKeys {
                original_trace,
                ..entry.keys
            },
            ..entry
        }
    }

    /// What the detail and its batch say of an entry of this kind.
    fn without_addenda(&self, at: FilePosition, batch: &OpenBatch, kind: EntryKind) -> Entry {
        let record = &self.record;
        // A correction moves no money, even if its amount field says so.
        let amount = if kind.moves_money() {
            self.amount()
        } else {
            Some(0)
        };
        let account = match batch.class {
            BatchClass::International => ACCOUNT_IAT,
            BatchClass::Domestic
            | BatchClass::NameFirst
            | BatchClass::Check
            | BatchClass::PointOfPurchase
            | BatchClass::NoIndividualId
            | BatchClass::Accounting => ACCOUNT,
        };
        let (individual_id, check_serial_number) = match batch.class {
            BatchClass::Domestic | BatchClass::Accounting => (Some(INDIVIDUAL_ID), None),
            BatchClass::NameFirst => (Some(INDIVIDUAL_ID_LAST), None),
            BatchClass::Check => (None, Some(CHECK_SERIAL)),
            BatchClass::PointOfPurchase => (None, Some(CHECK_SERIAL_POP)),
            BatchClass::NoIndividualId | BatchClass::International => (None, None),
        };
        let receiver_id = self.receiver_id.clone();
        let text = |field: Option<RecordField>| field.and_then(|field| record.text(field));
        Entry {
            amount: amount.map(Money::cents),
            direction: self.direction,
            keys: EntryKeys {
                individual_id: text(individual_id).or(receiver_id),
                check_serial_number: text(check_serial_number),
                company_id: batch.company_id.clone(),
                ..EntryKeys::default()
            },
            sec: batch.sec.clone(),
            entry_description: batch.description.clone(),
            company_name: batch.company_name.clone(),
            settlement_date: batch.settlement_date,
            original_date: batch.original_date,
            account_tail: AccountTail::of(&record.untrimmed(account)),
            ..Entry::new(at, kind)
        }
    }
}

/// The direction of a transaction code: returns have codes of their own (21 and 26 and so
/// on), but some banks leave the code of the returned entry in place.
fn direction(code: &[u8]) -> Direction {
    match code {
        [b'2'..=b'4', b'1'..=b'4'] | [b'5', b'1'..=b'4'] => Direction::Credit,
        [b'2'..=b'4', b'6'..=b'9'] | [b'5', b'5' | b'6'] => Direction::Debit,
        // Accounting entries: odd codes are credits.
        [b'8', b'1' | b'3' | b'5' | b'7'] => Direction::Credit,
        [b'8', b'2' | b'4' | b'6' | b'8'] => Direction::Debit,
        _ => Direction::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::CharacterLayout;

    #[test]
    fn codes_of_returns_and_of_forward_entries_give_the_direction() {
        let codes = |wanted| {
            (0..100)
                .map(|code| format!("{code:02}"))
                .filter(|code| code.as_bytes()[0] != b'8' && direction(code.as_bytes()) == wanted)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            codes(Direction::Credit),
            "21 22 23 24 31 32 33 34 41 42 43 44 51 52 53 54"
        );
        assert_eq!(
            codes(Direction::Debit),
            "26 27 28 29 36 37 38 39 46 47 48 49 55 56"
        );
        assert_eq!(direction(b"XX"), Direction::Unknown);
    }

    #[test]
    fn a_check_digit_is_checked_where_there_is_one() {
        let right = |text: &str| {
            let record = Record::new(text.as_bytes(), CharacterLayout::Ascii);
            let at = FilePosition { line: 1, byte: 0 };
            EntryDetail::new(at, record, BatchClass::Domestic).has_right_check_digit()
        };
        assert!(right("626061000052"));
        assert!(!right("626061000053"));
        assert!(right("626 6100005 "));
    }
}
