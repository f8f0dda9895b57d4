//! NACHA files: records of 94 characters that say what came back from the network.
//!
//! Each addenda record 98 or 99 becomes one [`Entry`](crate::entry::Entry). Files of real banks
//! deviate from the rule book in many small ways. A deviation of form is read and reported as a
//! finding. A deviation that could change money rejects the file unless the source's
//! [`Tolerance`] says otherwise.
//!
//! The way of a record: `lines` cuts the bytes, `record` gives its fields, `parser` checks the
//! order of records, `batches` the totals, and `entries` makes the entries.
//!
//! Source of the layouts: NACHA Operating Rules, Appendices 3 to 5. Positions count from 1 and
//! include both ends, as in the rules.

mod addenda;
pub(super) mod batch;
mod batches;
mod blocks;
pub(super) mod corrected;
mod dates;
mod detail;
mod encoding;
mod entries;
mod lines;
mod not_records;
mod parser;
mod reader;
mod record;
mod reject;
mod report;
mod tolerance;
mod totals;

pub(super) use reader::NachaReader;
pub use tolerance::Tolerance;
