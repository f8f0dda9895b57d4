//! The journal: one row for each decision about a transfer, positions without gaps, each
//! row's hash chained to the row before. Rows are never changed or deleted.

mod chain;
mod checkpoint;
mod effect;
mod recorded;
mod row;
mod stored;
mod verify;

pub(crate) use chain::chained;
pub use chain::{Hash, Head, chain};
pub use checkpoint::Checkpoint;
pub use effect::{MadeKind, NewTransfer, RowEffect};
pub use recorded::JournalRow;
pub use row::{Relation, Row, TransferFacts};
pub use stored::{RowColumns, StoredRow};
pub use verify::Verifier;
