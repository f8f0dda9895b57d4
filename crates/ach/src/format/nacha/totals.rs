//! What the entries add up to, and what the control records say they do.

use super::record::{Record, RecordField};
use super::tolerance::Difference;
use crate::entry::Direction;
use crate::money::Money;

/// Entry hashes keep ten digits.
const HASH_MODULUS: u64 = 10_000_000_000;

/// What the records of a batch or of a file add up to.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    /// Entry details and addenda.
    pub(super) records: u64,
    hash: u64,
    debit_minor: u64,
    credit_minor: u64,
    unknown_minor: u64,
    unreadable_amounts: u64,
    unreadable_routings: u64,
}

impl Sums {
    /// Adds an entry detail. What could not be read is `None`.
    pub(super) fn add(
        &mut self,
        routing: Option<u64>,
        amount_minor: Option<u64>,
        direction: Direction,
    ) {
        self.records += 1;
        match routing {
            Some(routing) => self.hash = (self.hash + routing) % HASH_MODULUS,
            None => self.unreadable_routings += 1,
        }
        let Some(amount) = amount_minor else {
            self.unreadable_amounts += 1;
            return;
        };
        let side = match direction {
            Direction::Debit => &mut self.debit_minor,
            Direction::Credit => &mut self.credit_minor,
            Direction::Unknown => &mut self.unknown_minor,
        };
        *side = side.saturating_add(amount);
    }

    /// Adds the sums of a batch to those of its file.
    pub(super) fn add_all(&mut self, batch: &Self) {
        self.records += batch.records;
        self.hash = (self.hash + batch.hash) % HASH_MODULUS;
        self.debit_minor = self.debit_minor.saturating_add(batch.debit_minor);
        self.credit_minor = self.credit_minor.saturating_add(batch.credit_minor);
        self.unknown_minor = self.unknown_minor.saturating_add(batch.unknown_minor);
        self.unreadable_amounts += batch.unreadable_amounts;
        self.unreadable_routings += batch.unreadable_routings;
    }

    /// Whether an entry could not be read well enough for its totals to be checked.
    pub(super) fn has_gaps(&self) -> bool {
        self.unreadable_amounts > 0 || self.unreadable_routings > 0
    }

    /// Each way in which the control record does not fit.
    pub(super) fn compare(&self, control: &Record, fields: &ControlFields) -> Vec<ControlMismatch> {
        let mut found = Vec::new();
        let records = control.number(fields.records);
        if records != Some(self.records) {
            let difference = Difference::EntryCount;
            let field = fields.records;
            found.push(ControlMismatch::of_count(
                difference,
                field,
                records,
                self.records,
            ));
        }
        let hash = control.number(fields.hash);
        let hash_fits = hash.is_some_and(|hash| hash % HASH_MODULUS == self.hash);
        if !hash_fits && (hash.is_none() || self.unreadable_routings == 0) {
            let (said, sum) = (
                hash.map(|hash| hash.to_string()),
                format!("{:010}", self.hash),
            );
            let difference = Difference::EntryHash;
            found.push(ControlMismatch::new(difference, fields.hash, said, &sum));
        }
        self.compare_money(control, fields, &mut found);
        found
    }

    /// An amount whose direction is unknown may be on either side, an unreadable one may be
    /// anything. Neither may make a side smaller than what certainly belongs to it.
    fn compare_money(
        &self,
        control: &Record,
        fields: &ControlFields,
        found: &mut Vec<ControlMismatch>,
    ) {
        let debit = control.number(fields.debit);
        let credit = control.number(fields.credit);
        let both = debit.unwrap_or(0).saturating_add(credit.unwrap_or(0));
        let certain = self.debit_minor.saturating_add(self.credit_minor);
        let may_be_more = self.unreadable_amounts > 0
            || (self.unknown_minor > 0 && both == certain.saturating_add(self.unknown_minor));
        let must_be_more = self.unknown_minor > 0 && !may_be_more;
        for (field, said, sum) in [
            (fields.debit, debit, self.debit_minor),
            (fields.credit, credit, self.credit_minor),
        ] {
            let fits = match said {
                Some(said) => (said == sum && !must_be_more) || (said > sum && may_be_more),
                None => false,
            };
            if !fits {
                let unknown = match self.unknown_minor {
                    0 => String::new(),
                    minor => format!(" and {} of unknown direction", dollars(minor)),
                };
                let (said, sum) = (said.map(dollars), dollars(sum) + &unknown);
                let difference = Difference::MoneyTotal;
                found.push(ControlMismatch::new(difference, field, said, &sum));
            }
        }
    }
}

fn dollars(minor: u64) -> String {
    i64::try_from(minor).map_or_else(
        |_| minor.to_string(),
        |minor| Money::cents(minor).to_string(),
    )
}

/// One field of a control record that does not fit the records it controls.
#[derive(Debug)]
pub(super) struct ControlMismatch {
    pub(super) difference: Difference,
    pub(super) field: RecordField,
    /// What the field says, and what the records add up to.
    pub(super) what: String,
}

impl ControlMismatch {
    /// A field that says `said`, or something that could not be read, where the records add up
    /// to `sum`.
    fn new(difference: Difference, field: RecordField, said: Option<String>, sum: &str) -> Self {
        let what = match said {
            Some(said) => format!("says {said}, but the records add up to {sum}"),
            None => format!("is not a valid number; the records add up to {sum}"),
        };
        Self {
            difference,
            field,
            what,
        }
    }

    /// A field that says another number than the records have.
    pub(super) fn of_count(
        difference: Difference,
        field: RecordField,
        said: Option<u64>,
        count: u64,
    ) -> Self {
        let said = said.map(|said| said.to_string());
        Self::new(difference, field, said, &count.to_string())
    }
}

/// The fields of a control record that hold its sums.
#[derive(Debug)]
pub(super) struct ControlFields {
    records: RecordField,
    hash: RecordField,
    debit: RecordField,
    credit: RecordField,
}

impl ControlFields {
    const fn new(
        records: (usize, usize),
        hash: (usize, usize),
        debit: (usize, usize),
        credit: (usize, usize),
    ) -> Self {
        Self {
            records: RecordField::new("entry and addenda count", records.0, records.1),
            hash: RecordField::new("entry hash", hash.0, hash.1),
            debit: RecordField::new("total debit amount", debit.0, debit.1),
            credit: RecordField::new("total credit amount", credit.0, credit.1),
        }
    }
}

/// The batch control.
pub(super) const BATCH: ControlFields = ControlFields::new((5, 10), (11, 20), (21, 32), (33, 44));
/// The batch control of accounting entries (ADV), whose totals are 20 wide.
pub(super) const BATCH_ADV: ControlFields =
    ControlFields::new((5, 10), (11, 20), (21, 40), (41, 60));
/// The file control.
pub(super) const FILE: ControlFields = ControlFields::new((14, 21), (22, 31), (32, 43), (44, 55));
/// The file control of a file of accounting entries (ADV).
pub(super) const FILE_ADV: ControlFields =
    ControlFields::new((14, 21), (22, 31), (32, 51), (52, 71));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::nacha::encoding::CharacterLayout;

    fn control(records: u64, hash: u64, debit: u64, credit: u64) -> Record {
        let text = format!("8200{records:06}{hash:010}{debit:012}{credit:012}");
        Record::new(text.as_bytes(), CharacterLayout::Ascii)
    }

    fn wrong(sums: &Sums, control: &Record) -> Vec<Difference> {
        sums.compare(control, &BATCH)
            .iter()
            .map(|mismatch| mismatch.difference)
            .collect()
    }

    #[test]
    fn every_sum_is_compared() {
        let mut sums = Sums::default();
        sums.add(Some(9_100_000), Some(500), Direction::Debit);
        sums.add(Some(9_999_999_999), Some(70), Direction::Credit);
        assert_eq!(wrong(&sums, &control(2, 9_099_999, 500, 70)), []);
        assert_eq!(
            wrong(&sums, &control(3, 9_099_999, 500, 70)),
            [Difference::EntryCount]
        );
        assert_eq!(
            wrong(&sums, &control(2, 9_099_998, 500, 70)),
            [Difference::EntryHash]
        );
        let money = Difference::MoneyTotal;
        assert_eq!(wrong(&sums, &control(2, 9_099_999, 501, 70)), [money]);
        assert_eq!(
            wrong(&sums, &control(2, 9_099_999, 70, 500)),
            [money, money]
        );
    }

    #[test]
    fn an_amount_of_unknown_direction_may_be_on_either_side_but_must_be_on_one() {
        let mut sums = Sums::default();
        sums.add(Some(1), Some(500), Direction::Unknown);
        assert_eq!(wrong(&sums, &control(1, 1, 500, 0)), []);
        assert_eq!(wrong(&sums, &control(1, 1, 0, 500)), []);
        assert!(!wrong(&sums, &control(1, 1, 0, 0)).is_empty());
        assert!(!wrong(&sums, &control(1, 1, 500, 500)).is_empty());
    }

    #[test]
    fn an_unreadable_amount_leaves_room_upwards_only() {
        let mut sums = Sums::default();
        sums.add(Some(1), None, Direction::Debit);
        sums.add(Some(1), Some(70), Direction::Debit);
        assert_eq!(wrong(&sums, &control(2, 2, 100, 0)), []);
        assert_eq!(
            wrong(&sums, &control(2, 2, 69, 0)),
            [Difference::MoneyTotal]
        );
    }

    #[test]
    fn a_control_that_is_not_a_number_does_not_fit() {
        let sums = Sums::default();
        let record = Record::new(
            b"8200000000          000000000000ABCDEFGHIJKL",
            CharacterLayout::Ascii,
        );
        assert_eq!(
            wrong(&sums, &record),
            [Difference::EntryHash, Difference::MoneyTotal]
        );
    }
}
