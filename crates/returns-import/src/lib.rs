//! An import, step by step: receive the bytes, check the whole file, then look up, decide
//! and append its entries batch by batch. Progress moves with the rows it appends, so a
//! crash at any point resumes where it was.
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

pub mod adapter;
mod ahead;
mod batches;
mod check;
pub mod decide;
mod drive;
mod dry_run;
mod faults;
mod gather;
mod guess;
pub mod hold;
mod import_times;
mod problem;
mod receive;
pub mod source;
mod spool;
mod worker;

pub use dry_run::DryRun;
pub use faults::ImportFaults;
pub use receive::{ReceiveError, Receiving, record};
pub use source::Source;
pub use spool::{ReadBack, Spool, SpoolError};
pub use worker::{ImportError, Importer};
