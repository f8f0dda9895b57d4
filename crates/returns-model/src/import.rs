//! Files, and what became of them.

use ach::decision::Effect;
use ach::format::{Emptiness, FileRejected, Finding, Rejected};
use ach::money::Currency;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// A file to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    pub source: String,
    pub file_name: String,
    /// In hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
    /// The name of the file in the spool.
    pub spool_name: String,
    pub received_at: DateTime<Utc>,
    /// The person who vouches for it although its controls are missing.
    pub controls_accepted_by: Option<String>,
    /// Where the trace stands in which it was received (W3C Trace Context), if there is one.
    pub trace: Option<String>,
}

/// What became of a file that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is new.
    New(ImportRecord),
    /// These bytes are known for this source: the import they became.
    Known(ImportRecord),
}

/// How far an import is, with what only that phase has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// The whole file is being checked; nothing is decided.
    Checking,
    /// Refused whole.
    Rejected {
        why: FileRejected,
        at: DateTime<Utc>,
    },
    /// Entries are being decided.
    Deciding { checked: Checked },
    /// Every entry is decided, held, known or unreadable.
    Decided {
        checked: Checked,
        decided_at: DateTime<Utc>,
    },
    /// Every database has what was decided.
    Applied {
        checked: Checked,
        decided_at: DateTime<Utc>,
        applied_at: DateTime<Utc>,
    },
}

/// The name of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum PhaseName {
    Checking,
    Rejected,
    Deciding,
    Decided,
    Applied,
}

impl PhaseName {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl Phase {
    /// What the check of the whole file found, once it is over.
    pub fn checked(&self) -> Option<&Checked> {
        match self {
            Self::Checking | Self::Rejected { .. } => None,
            Self::Deciding { checked }
            | Self::Decided { checked, .. }
            | Self::Applied { checked, .. } => Some(checked),
        }
    }
}

/// What the check of a whole file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Entries and unreadable lines.
    pub items: u64,
    /// Entries that are not returns, and rows that the source's profile leaves out.
    #[serde(default)]
    pub left_out: u64,
    /// Money of debits, minor units.
    pub debit_minor: i64,
    /// Money of credits, minor units.
    pub credit_minor: i64,
    /// The currencies of its amounts, the first few.
    #[serde(default)]
    pub currencies: Vec<Currency>,
    /// Differences that were tolerated.
    pub findings: Vec<Finding>,
    /// How the file is empty, if it is.
    pub emptiness: Option<Emptiness>,
}

/// An import as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    pub import_id: String,
    pub new: NewImport,
    /// Another file of this name, with other bytes, came before.
    pub reissued: bool,
    pub phase: Phase,
    /// Entries and unreadable lines dealt with so far.
    pub done: u64,
    /// What its entries came to when they were decided.
    pub totals: Totals,
    /// What became of some of them since.
    pub moves: Moves,
}

impl ImportRecord {
    /// What its entries come to by now: an entry that the system of record did not take is held,
    /// and one whose hold was resolved counts as what it was decided to be.
    pub fn totals_now(&self) -> Totals {
        self.moves.applied_to(self.totals)
    }
}

/// A number of entries and their money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    pub amount_minor: i64,
}

impl Tally {
    /// Counts one more. Money saturates: a sum that large is not of this world, and the
    /// readers refuse files whose totals overflow.
    pub fn add(&mut self, amount_minor: i64) {
        self.count += 1;
        self.amount_minor = self.amount_minor.saturating_add(amount_minor);
    }
}

/// Where an entry is counted that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Effect(Effect),
    Duplicate,
    Held,
}

/// An entry of an import that counts as something else from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub import_id: String,
    pub from: Outcome,
    pub to: Outcome,
    pub amount_minor: i64,
}

/// The entries of an import that moved from one outcome to another after they were decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves(Vec<(Outcome, Outcome, Tally)>);

impl Moves {
    /// Counts one more.
    pub fn add(&mut self, moved: &Moved) {
        let same = |one: &&mut (Outcome, Outcome, Tally)| (one.0, one.1) == (moved.from, moved.to);
        if let Some((_, _, tally)) = self.0.iter_mut().find(same) {
            tally.add(moved.amount_minor);
            return;
        }
        let mut tally = Tally::default();
        tally.add(moved.amount_minor);
        self.0.push((moved.from, moved.to, tally));
    }

    fn applied_to(&self, mut totals: Totals) -> Totals {
        for (from, to, tally) in &self.0 {
            let to = totals.of(*to);
            to.count += tally.count;
            to.amount_minor = to.amount_minor.saturating_add(tally.amount_minor);
            let from = totals.of(*from);
            from.count = from.count.saturating_sub(tally.count);
            from.amount_minor = from.amount_minor.saturating_sub(tally.amount_minor);
        }
        totals
    }
}

/// What became of the entries of a file so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
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
    pub rejected: Tally,
}

impl Totals {
    fn of(&mut self, outcome: Outcome) -> &mut Tally {
        match outcome {
            Outcome::Effect(effect) => self.of_effect(effect),
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Held => &mut self.held,
        }
    }

    /// The entries that were decided to change something.
    pub fn decided(&self) -> u64 {
        let effects = [
            self.returned,
            self.reversed,
            self.failed,
            self.corrected,
            self.restored,
            self.reapplied,
        ];
        effects.iter().map(|tally| tally.count).sum()
    }

    /// Where an effect is counted.
    pub fn of_effect(&mut self, effect: Effect) -> &mut Tally {
        match effect {
            Effect::Return => &mut self.returned,
            Effect::Reverse => &mut self.reversed,
            Effect::Fail => &mut self.failed,
            Effect::Correct => &mut self.corrected,
            Effect::Restore => &mut self.restored,
            Effect::Reapply => &mut self.reapplied,
        }
    }
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    pub ordinal: u64,
    pub rejected: Rejected,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_leaves_one_outcome_for_another_and_the_sum_stays() {
        let ten = Tally {
            count: 2,
            amount_minor: 1_000,
        };
        let mut import = ImportRecord {
            import_id: "imp_1".to_owned(),
            new: NewImport {
                source: "worldpay".to_owned(),
                file_name: "r.csv".to_owned(),
                sha256: String::new(),
                size_bytes: 1,
                spool_name: String::new(),
                received_at: DateTime::UNIX_EPOCH,
                controls_accepted_by: None,
                trace: None,
            },
            reissued: false,
            phase: Phase::Checking,
            done: 2,
            totals: Totals {
                read: ten,
                returned: ten,
                ..Totals::default()
            },
            moves: Moves::default(),
        };
        let moved = |from, to| Moved {
            import_id: "imp_1".to_owned(),
            from,
            to,
            amount_minor: 500,
        };
        let returned = Outcome::Effect(Effect::Return);
        import.moves.add(&moved(returned, Outcome::Held));
        import.moves.add(&moved(returned, Outcome::Held));
        let now = import.totals_now();
        assert_eq!((now.read, now.returned.count, now.held), (ten, 0, ten));
        assert_eq!(now.returned.amount_minor, 0);

        let reversed = Outcome::Effect(Effect::Reverse);
        import.moves.add(&moved(Outcome::Held, reversed));
        let text = serde_json::to_string(&import.moves).unwrap();
        import.moves = serde_json::from_str(&text).unwrap();
        let now = import.totals_now();
        assert_eq!(
            (now.reversed.count, now.held.count, now.decided()),
            (1, 1, 1)
        );
        assert_eq!(import.totals.returned, ten, "what was decided stays");
    }
}
