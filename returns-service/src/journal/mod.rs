//! The journal: one row for each decision about a transfer, positions without gaps, each
//! row's hash chained to the row before. Rows are never changed or deleted.

mod chain;
mod row;
mod verify;

pub(crate) use chain::{Hash, Head, chain};
pub(crate) use row::{Ready, Relation, Reversal, Row, TransferFacts};
pub(crate) use verify::Verifier;
