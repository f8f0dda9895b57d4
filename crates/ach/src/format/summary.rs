//! What was read: counts, sums and findings.

use serde::{Deserialize, Serialize};

use super::FileRejected;
use crate::entry::{Direction, Entry, FilePosition};
use crate::money::Currency;

/// A difference that the source's settings, or the customs of the trade, tolerate. It is
/// reported with the import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The first place where it was seen.
    pub at: Option<FilePosition>,
    /// The field, or the kind of difference, in a word or two.
    pub field: String,
    /// What was seen and what was expected.
    pub what: String,
    /// How often it was seen. Only the first is described.
    pub count: u64,
}

/// The different ways in which a file can hold no entries. Which of them are normal is a
/// setting of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emptiness {
    /// No bytes, or only blank ones.
    NoBytes,
    /// A header (and trailer) and no rows.
    HeaderOnly,
    /// A sentence such as `NO RETURNS REPORTED`.
    Sentence,
    /// Nothing but entries or rows that were left out, see [`Summary::left_out`].
    LeftOut,
}

/// How many currencies a summary names. More than one already says that its sums are of no one currency.
pub const MAX_CURRENCIES: usize = 4;

/// What was read; complete once the reader is at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// `nacha`, `iso20022`, `x12`, `bai2`, `worldpay_echeck_return`, `worldpay_funding_reject`, or the
    /// name of the mapped profile.
    pub format: String,
    /// Entries read.
    pub entries: u64,
    /// Lines that could not be read.
    pub rejected: u64,
    /// Entries that are not returns, and rows that the profile leaves out.
    #[serde(default)]
    pub left_out: u64,
    /// Sum of the amounts of debits, minor units. Corrections count as zero.
    pub debit_minor: i64,
    /// Sum of the amounts of credits, minor units.
    pub credit_minor: i64,
    /// Sum of the amounts whose direction the file does not say, minor units.
    pub unknown_minor: i64,
    /// The currencies of these amounts, the first [`MAX_CURRENCIES`]. The sums add up all of them.
    #[serde(default)]
    pub currencies: Vec<Currency>,
    /// Differences that were tolerated, each kind once.
    pub findings: Vec<Finding>,
    /// How the file is empty, when it has neither entries nor rejected lines.
    pub emptiness: Option<Emptiness>,
}

impl Summary {
    /// Counts an entry and adds its amount.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), FileRejected> {
        if let Some(amount) = entry.amount.filter(|_| entry.kind.moves_money()) {
            let sum = match entry.direction {
                Direction::Debit => &mut self.debit_minor,
                Direction::Credit => &mut self.credit_minor,
                Direction::Unknown => &mut self.unknown_minor,
            };
            *sum = plus(*sum, amount.minor(), entry.at)?;
            let is_new = !self.currencies.contains(&amount.currency());
            if is_new && self.currencies.len() < MAX_CURRENCIES {
                self.currencies.push(amount.currency());
            }
        }
        self.entries += 1;
        Ok(())
    }

    /// Counts a difference that is tolerated; the first of its kind is described.
    pub(super) fn note(
        &mut self,
        at: Option<FilePosition>,
        field: &str,
        what: impl FnOnce() -> String,
    ) {
        let mut findings = self.findings.iter_mut();
        match findings.find(|finding| finding.field == field) {
            Some(finding) => finding.count += 1,
            None => self.findings.push(Finding {
                at,
                field: field.to_owned(),
                what: what(),
                count: 1,
            }),
        }
    }
}

/// The sum with one more amount. It rejects the file where that is more than can be counted.
pub(super) fn plus(sum: i64, minor: i64, at: FilePosition) -> Result<i64, FileRejected> {
    sum.checked_add(minor).ok_or_else(|| {
        let why = "the amounts add up to more than can be counted; check their unit";
        FileRejected::new(why).at(at).in_field("amount")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Coded, EntryKind};
    use crate::money::Money;

    #[test]
    fn a_sum_that_cannot_be_counted_rejects_the_file() {
        let at = FilePosition { line: 3, byte: 9 };
        let kind = EntryKind::Return {
            code: Coded::Unknown("R97".to_owned()),
            date_of_death: None,
        };
        let mut entry = Entry::new(at, kind);
        entry.amount = Some(Money::cents(i64::MAX));
        let mut summary = Summary::default();
        assert_eq!(summary.add(&entry), Ok(()));
        assert_eq!(summary.add(&entry).unwrap_err().at, Some(at));
        assert_eq!((summary.entries, summary.unknown_minor), (1, i64::MAX));
    }

    #[test]
    fn each_currency_is_named_once_in_the_order_in_which_it_came() {
        let kind = EntryKind::Return {
            code: Coded::Unknown("R97".to_owned()),
            date_of_death: None,
        };
        let mut entry = Entry::new(FilePosition { line: 3, byte: 9 }, kind);
        let mut summary = Summary::default();
        for currency in ["USD", "CAD", "USD", "MXN", "CAD", "EUR", "GBP"] {
            entry.amount = Some(Money::new(5, currency.parse().unwrap()));
            summary.add(&entry).unwrap();
        }
        let named: Vec<String> = summary.currencies.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["USD", "CAD", "MXN", "EUR"]);
        assert_eq!(summary.unknown_minor, 35);
    }

    #[test]
    fn only_the_first_of_a_kind_is_described_and_all_are_counted() {
        let mut summary = Summary::default();
        summary.note(None, "batch_order", || "order".into());
        for line in 1..=3 {
            let at = FilePosition { line, byte: 0 };
            summary.note(Some(at), "blank lines", || format!("line {line}"));
        }
        let [_, blank] = &summary.findings[..] else {
            panic!("two findings")
        };
        assert_eq!((blank.count, blank.what.as_str()), (3, "line 1"));
    }
}
