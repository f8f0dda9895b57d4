//! One line of a report.

use ach::entry::Entry;
use returns_model::dishonor::DishonorMark;
use returns_model::journal::Row;

use super::outcome::{LineOutcome, Status};

/// What is known of one entry of a file.
#[derive(Debug, Clone)]
pub(super) struct ReportLine {
    /// Where it stands in its file, counted from 1.
    pub(super) line_number: u64,
    /// The entry; `None` for a line that could not be read.
    pub(super) entry: Option<Entry>,
    /// The decision that stands, when there is one.
    pub(super) row: Option<Row>,
    /// The transfer it is about, when that is known.
    pub(super) transfer_id: String,
    pub(super) outcome: LineOutcome,
    /// What it did in each database, in their order.
    pub(super) statuses: Vec<Status>,
    /// What is counted of it, in minor units; `None` when it is not known any more.
    pub(super) amount_minor: Option<i64>,
    /// Why it may be dishonored, if it may.
    pub(super) mark: Option<DishonorMark>,
    /// What a person should know about it.
    pub(super) notes: Vec<String>,
}
