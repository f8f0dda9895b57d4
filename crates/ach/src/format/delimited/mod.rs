//! Delimited files (CSV and its relatives), read by a [`Profile`] that is configuration:
//! which column holds what, how dates and amounts are written, which rows are what.
//!
//! The way of a row: `input` counts bytes and lines, `rows` cuts rows into cells within fixed
//! limits, `reader` goes from row to row, `row_kind` sorts rows, `layout` knows where each
//! field is, and `mapping` makes the entry.

mod amount;
mod cell;
mod code;
mod column;
mod control;
mod corrected;
mod date;
mod input;
mod layout;
mod mapping;
mod preamble;
mod profile;
mod reader;
mod row_kind;
mod rows;
mod tally;
mod validate;

pub use amount::AmountUnit;
pub use column::{Column, Field};
pub use profile::{DeclaredKind, Delimiter, Encoding, Profile, RecordTypes, RowFilter, Trailer};
pub(super) use reader::DelimitedReader;
