//! What was read so far: counts, sums and findings.

use super::refused;
use crate::entry::{Direction, Entry, EntryKind, FilePosition};
use crate::format::{Emptiness, Finding, ReadError, Rejected};
use crate::money::{Currency, Money};

/// Counts and sums, kept while the file is read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) entries: u64,
    pub(super) rejected: u64,
    pub(super) debit_minor: i64,
    pub(super) credit_minor: i64,
    pub(super) unknown_minor: i64,
    /// Sum of the amounts of all detail rows, as far as they could be read.
    pub(super) detail_minor: i64,
    /// Detail rows whose amount could not be read.
    pub(super) unread_amounts: u64,
    pub(super) findings: Vec<Finding>,
    /// Whether any row was seen that is not blank.
    pub(super) saw_text: bool,
    /// Where a sentence said that there are no entries.
    pub(super) sentence_at: Option<FilePosition>,
    /// Where the row of totals stands.
    pub(super) trailer_at: Option<FilePosition>,
    currency: Option<Currency>,
}

impl Tally {
    /// Counts an entry and adds its amount.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), ReadError> {
        if let Some(amount) = entry.amount {
            self.add_amount(entry, amount)?;
        }
        self.entries += 1;
        Ok(())
    }

    fn add_amount(&mut self, entry: &Entry, amount: Money) -> Result<(), ReadError> {
        let first = *self.currency.get_or_insert(amount.currency());
        if first != amount.currency() {
            self.note(Some(entry.at), "currency", || {
                format!(
                    "{} beside {first}: the sums mix currencies",
                    amount.currency()
                )
            });
        }
        self.add_detail(entry.at, amount.minor())?;
        let sum = match entry.kind {
            EntryKind::Correction { .. } | EntryKind::RefusedCorrection { .. } => return Ok(()),
            EntryKind::Return { .. }
            | EntryKind::Dishonored { .. }
            | EntryKind::Contested { .. }
            | EntryKind::ValidationFailure { .. } => match entry.direction {
                Direction::Debit => &mut self.debit_minor,
                Direction::Credit => &mut self.credit_minor,
                Direction::Unknown => &mut self.unknown_minor,
            },
        };
        *sum = plus(*sum, amount.minor(), entry.at)?;
        Ok(())
    }

    /// Counts a row that could not be read.
    pub(super) fn reject(
        &mut self,
        rejected: &Rejected,
        amount_is_known: bool,
    ) -> Result<(), ReadError> {
        self.add_detail(rejected.at, rejected.amount_minor.unwrap_or(0))?;
        self.rejected += 1;
        self.unread_amounts += u64::from(!amount_is_known);
        Ok(())
    }

    fn add_detail(&mut self, at: FilePosition, minor: i64) -> Result<(), ReadError> {
        self.detail_minor = plus(self.detail_minor, minor, at)?;
        Ok(())
    }

    /// Counts a difference that is let pass; the first of its kind is described.
    pub(super) fn note(
        &mut self,
        at: Option<FilePosition>,
        kind: &str,
        what: impl FnOnce() -> String,
    ) {
        if let Some(known) = self
            .findings
            .iter_mut()
            .find(|finding| finding.field == kind)
        {
            known.count += 1;
        } else {
            self.findings.push(Finding {
                at,
                field: kind.to_owned(),
                what: what(),
                count: 1,
            });
        }
    }

    /// How the file is empty, once its end is reached.
    pub(super) fn emptiness(&self) -> Option<Emptiness> {
        if self.entries + self.rejected > 0 {
            None
        } else if self.sentence_at.is_some() {
            Some(Emptiness::Sentence)
        } else if self.saw_text {
            Some(Emptiness::HeaderOnly)
        } else {
            Some(Emptiness::NoBytes)
        }
    }
}

fn plus(sum: i64, minor: i64, at: FilePosition) -> Result<i64, ReadError> {
    sum.checked_add(minor).ok_or_else(|| {
        let why = "the sum of the amounts is beyond what can be counted; check the unit and the \
                   amount column of the profile";
        refused(Some(at), Some("amount".to_owned()), why.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Coded;

    #[test]
    fn a_sum_that_cannot_be_counted_refuses_the_file() {
        let at = FilePosition { line: 3, byte: 9 };
        let code = Coded::Unknown("R97".to_owned());
        let date_of_death = None;
        let mut entry = Entry::new(
            at,
            EntryKind::Return {
                code,
                date_of_death,
            },
        );
        entry.amount = Some(Money::cents(i64::MAX));
        let mut tally = Tally::default();
        assert!(tally.add(&entry).is_ok());
        let Err(ReadError::Rejected(refused)) = tally.add(&entry) else {
            panic!("a sum beyond i64 was counted")
        };
        assert_eq!(refused.at, Some(at));
        assert_eq!((tally.entries, tally.unknown_minor), (1, i64::MAX));
    }
}
