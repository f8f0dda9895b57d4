//! Files of rows (CSV and its relatives, JSON, Excel), read by a [`Profile`] that is configuration:
//! which column holds what, how dates and amounts are written, which rows are what.
//!
//! The way of a row: `source` gives it, from lines (`input` counts bytes and lines, `rows` cuts cells
//! within fixed limits), from JSON (`json`) or from a workbook (`sheet`); `reader` goes from row to row, `row_kind` sorts rows, `layout` knows where each
//! field is, and `mapping` makes the entry.

pub(super) mod amount;
pub(super) mod cell;
pub(super) mod code;
mod column;
mod control;
mod corrected;
mod date;
mod input;
mod json;
mod layout;
mod mapping;
mod preamble;
mod profile;
mod reader;
mod row;
mod row_kind;
mod rows;
mod sheet;
mod source;
mod tally;
mod validate;

pub use amount::AmountUnit;
pub use column::{Column, Field};
pub use profile::{
    DeclaredKind, Delimiter, Encoding, Profile, RecordTypes, RowFilter, Syntax, Trailer,
};
pub(super) use reader::DelimitedReader;
