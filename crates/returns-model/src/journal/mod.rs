//! The journal: one row for each decision about a transfer, positions without gaps, each
//! row's hash chained to the row before. Rows are never changed or deleted.

mod chain;
mod effect;
mod recorded;
mod row;
mod verify;

pub use chain::{Hash, Head, chain};
pub use effect::{MadeKind, NewTransfer, RowEffect};
pub use recorded::JournalRow;
pub use row::{Relation, Row, TransferFacts};
pub use verify::Verifier;
