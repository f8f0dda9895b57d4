//! What a report adds up to, and whether everything in the file is accounted for.

use ach::money::Currency;
use returns_model::import::Tally;
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;

use super::outcome::{OutcomeClass, Status};

/// What became of the lines of a file, in count and in money.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReportTotals {
    pub read: Tally,
    pub returned: Tally,
    pub reversed: Tally,
    pub failed: Tally,
    pub corrected: Tally,
    #[serde(default)]
    pub restored: Tally,
    #[serde(default)]
    pub reapplied: Tally,
    pub duplicate: Tally,
    #[serde(default)]
    pub prenote: Tally,
    pub held: Tally,
    pub dismissed: Tally,
    pub rejected: Tally,
    /// Entries that are not returns, and rows that the profile leaves out: they have no line.
    #[serde(default)]
    pub left_out: u64,
    /// The currencies of the file's amounts, the first few.
    #[serde(default)]
    pub currencies: Vec<Currency>,
    /// The same lines as each database has them, in the order of the report's columns.
    pub databases: Vec<DatabaseTotals>,
}

/// What became of the lines of a file in one database. Every line is counted once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatabaseTotals {
    pub database: String,
    /// It took effect there.
    pub applied: Tally,
    /// A notification of change, which changes nothing in a database.
    pub corrected: Tally,
    /// It did not take effect there and waits, or was dismissed.
    pub exception: Tally,
    pub duplicate: Tally,
    #[serde(default)]
    pub prenote: Tally,
    pub held: Tally,
    pub dismissed: Tally,
    pub rejected: Tally,
    /// Decided, and yet not there: there must be none.
    pub missing: Tally,
}

impl ReportTotals {
    pub(super) fn new(databases: &[String]) -> Self {
        Self {
            databases: databases
                .iter()
                .map(|name| DatabaseTotals {
                    database: name.clone(),
                    ..DatabaseTotals::default()
                })
                .collect(),
            ..Self::default()
        }
    }

    /// Counts a line. `statuses` are in the order of the databases.
    pub(super) fn add(&mut self, class: OutcomeClass, statuses: &[Status], amount_minor: i64) {
        self.read.add(amount_minor);
        self.of_class(class).add(amount_minor);
        for (database, status) in self.databases.iter_mut().zip(statuses) {
            database.place(class, *status).add(amount_minor);
        }
    }

    fn of_class(&mut self, class: OutcomeClass) -> &mut Tally {
        match class {
            OutcomeClass::Returned => &mut self.returned,
            OutcomeClass::Reversed => &mut self.reversed,
            OutcomeClass::Failed => &mut self.failed,
            OutcomeClass::Corrected => &mut self.corrected,
            OutcomeClass::Restored => &mut self.restored,
            OutcomeClass::Reapplied => &mut self.reapplied,
            OutcomeClass::Duplicate => &mut self.duplicate,
            OutcomeClass::Prenote => &mut self.prenote,
            OutcomeClass::Held => &mut self.held,
            OutcomeClass::Dismissed => &mut self.dismissed,
            OutcomeClass::Rejected => &mut self.rejected,
        }
    }

    /// What was done: returned, reversed, failed, corrected, restored or reapplied.
    pub fn applied(&self) -> Tally {
        sum(&[
            self.returned,
            self.reversed,
            self.failed,
            self.corrected,
            self.restored,
            self.reapplied,
        ])
    }

    /// Every outcome with its word.
    pub fn outcomes(&self) -> Vec<(&'static str, Tally)> {
        let mut copy = self.clone();
        let classes = OutcomeClass::VARIANTS.iter();
        let tallies = classes.map(|class| (class.into(), *copy.of_class(*class)));
        tallies.collect()
    }

    /// Where the parts do not make up the whole. Every sentence names what differs.
    pub(super) fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        let parts = [
            self.applied(),
            self.duplicate,
            self.prenote,
            self.held,
            self.dismissed,
            self.rejected,
        ];
        differences.extend(differs("the file", self.read, sum(&parts)));
        for one in &self.databases {
            let parts = [
                one.applied,
                one.corrected,
                one.exception,
                one.duplicate,
                one.prenote,
                one.held,
                one.dismissed,
                one.rejected,
            ];
            let name = format!("the database {:?}", one.database);
            differences.extend(differs(&name, self.read, sum(&parts)));
        }
        differences
    }
}

impl DatabaseTotals {
    /// Where a line is counted.
    fn place(&mut self, class: OutcomeClass, status: Status) -> &mut Tally {
        match (status, class) {
            (Status::Applied, _) => &mut self.applied,
            (Status::Exception(_), _) => &mut self.exception,
            (Status::Skipped, OutcomeClass::Corrected) => &mut self.corrected,
            (Status::Skipped, OutcomeClass::Duplicate) => &mut self.duplicate,
            (Status::Skipped, OutcomeClass::Prenote) => &mut self.prenote,
            (Status::Skipped, OutcomeClass::Held) => &mut self.held,
            (Status::Skipped, OutcomeClass::Dismissed) => &mut self.dismissed,
            (Status::Skipped, OutcomeClass::Rejected) => &mut self.rejected,
            (
                Status::Skipped,
                OutcomeClass::Returned
                | OutcomeClass::Reversed
                | OutcomeClass::Failed
                | OutcomeClass::Restored
                | OutcomeClass::Reapplied,
            ) => &mut self.missing,
        }
    }
}

/// Tallies added up. Money saturates, as it does where it is counted.
fn sum(tallies: &[Tally]) -> Tally {
    tallies.iter().fold(Tally::default(), |sum, tally| Tally {
        count: sum.count + tally.count,
        amount_minor: sum.amount_minor.saturating_add(tally.amount_minor),
    })
}

/// A sentence when two tallies differ.
pub(super) fn differs(of: &str, read: Tally, accounted: Tally) -> Option<String> {
    (read != accounted).then(|| {
        format!(
            "{of}: {} entries with {} minor units were read, {} with {} are accounted for",
            read.count, read.amount_minor, accounted.count, accounted.amount_minor
        )
    })
}

#[cfg(test)]
mod tests {
    use returns_model::follower::ExceptionKind;

    use super::*;

    fn totals() -> ReportTotals {
        ReportTotals::new(&["gateway".into(), "rallypay".into()])
    }

    #[test]
    fn every_line_is_counted_once_for_the_file_and_once_for_each_database() {
        let mut totals = totals();
        let refused = Status::Exception(ExceptionKind::Refused);
        totals.add(OutcomeClass::Reversed, &[Status::Applied, refused], 500);
        totals.add(OutcomeClass::Corrected, &[Status::Skipped; 2], 0);
        totals.add(OutcomeClass::Held, &[refused, Status::Skipped], 7);
        totals.add(OutcomeClass::Rejected, &[Status::Skipped; 2], 3);
        assert_eq!(totals.differences(), [] as [&str; 0]);
        assert_eq!(
            totals.read,
            Tally {
                count: 4,
                amount_minor: 510
            }
        );
        assert_eq!(totals.applied().count, 2);
        assert_eq!(totals.databases[0].exception.amount_minor, 7);
        assert_eq!(totals.databases[1].exception.amount_minor, 500);
        let json = serde_json::to_string(&totals).unwrap();
        assert_eq!(serde_json::from_str::<ReportTotals>(&json).unwrap(), totals);
    }

    #[test]
    fn a_decided_line_that_a_database_does_not_have_is_reported() {
        let mut totals = totals();
        totals.add(
            OutcomeClass::Reversed,
            &[Status::Applied, Status::Skipped],
            500,
        );
        let differences = totals.differences();
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(differences[0].contains("rallypay"), "{differences:?}");
    }
}
