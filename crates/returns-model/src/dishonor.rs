//! Returns that our bank may dishonor.

use ach::dishonor::DishonorGround;
use ach::money::Money;
use chrono::{DateTime, NaiveDate, Utc};

/// An entry that may be dishonored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DishonorMark {
    pub import_id: String,
    /// The entry's number in its file, counted from 0.
    pub ordinal: u64,
    /// Where it stands in its file, counted from 1.
    pub line: u64,
    /// The transfer that it returns; `None` while that is unknown.
    pub transfer_id: Option<String>,
    /// The return that it became; `None` while it is held.
    pub return_id: Option<String>,
    /// The hold in which it waits; `None` when it does not.
    pub hold_id: Option<String>,
    /// The strongest ground.
    pub ground: DishonorGround,
    /// Weaker ones.
    pub others: Vec<DishonorGround>,
    /// The amount on the line, or else the transfer's.
    pub amount: Option<Money>,
    /// The code of the return.
    pub return_code: String,
    /// When the return settled, where its file says so.
    pub settled_on: Option<NaiveDate>,
}

/// A mark, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DishonorRecord {
    pub mark: DishonorMark,
    pub marked_at: DateTime<Utc>,
}

/// What a decision says of marks. It is written with the decision, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// To be written. A mark that the entry has already is replaced: what was said of it
    /// belonged to an earlier decision.
    pub set: Vec<DishonorMark>,
    /// Entries (import and ordinal) that were decided again, and nothing speaks for a dishonor
    /// any more.
    pub cleared: Vec<(String, u64)>,
}

impl Marks {
    /// What it comes to when one entry was decided again: `mark` replaces what was said of it.
    pub fn again(mark: Option<DishonorMark>, import_id: &str, ordinal: u64) -> Self {
        let cleared = match &mark {
            Some(_) => Vec::new(),
            None => vec![(import_id.to_owned(), ordinal)],
        };
        Self {
            set: mark.into_iter().collect(),
            cleared,
        }
    }
}

/// Which marks to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DishonorFilter {
    /// Only those whose last day is this one or later.
    pub open_on: Option<NaiveDate>,
    pub import_id: Option<String>,
    pub transfer_id: Option<String>,
}

/// Where a page of marks ended: last day, import and ordinal.
pub type DishonorPlace = (NaiveDate, String, u64);
