//! The journal: one row for each decision about a transfer, positions without gaps, each
//! row's hash chained to the row before. Rows are never changed or deleted.

mod chain;
mod recorded;
mod row;
mod verify;

pub use chain::{Hash, Head, chain};
pub use recorded::JournalRow;
pub use row::{Ready, Relation, Reversal, Row, TransferFacts};
pub use verify::Verifier;
