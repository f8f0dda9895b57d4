//! Delimited files (CSV and its relatives), read by a [`Profile`] that is configuration:
//! which column holds what, how dates and amounts are written, which rows are what.
//!
//! The way of a row: `source` counts bytes and lines, `rows` cuts rows into cells within
//! fixed limits, `reader` goes from row to row, which `row_kind` tells apart, `layout`
//! knows where each field stands, and `mapping` makes the entry.

mod amount;
mod cell;
mod code;
mod column;
mod control;
mod corrected;
mod date;
mod layout;
mod mapping;
mod profile;
mod reader;
mod row_kind;
mod rows;
mod source;
mod tally;
mod validate;

pub use amount::AmountUnit;
pub use column::{Column, Field};
pub use profile::{Delimiter, Encoding, Kind, Profile, RecordTypes, RowFilter, Trailer};
pub use reader::Reader;

use super::{FileRejected, ReadError};
use crate::entry::FilePosition;

/// The whole file is refused at `at`, because of `field` where one is to blame.
fn refused(at: Option<FilePosition>, field: Option<String>, why: String) -> ReadError {
    ReadError::Rejected(FileRejected {
        at,
        field,
        why,
        looks_like: None,
    })
}
