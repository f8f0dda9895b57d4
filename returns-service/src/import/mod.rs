//! An import, step by step: receive the bytes, check the whole file, then look up, decide
//! and append its entries batch by batch. Progress moves with the rows it appends, so a
//! crash at any point resumes where it was.

mod ahead;
mod batches;
mod check;
mod drive;
mod dry_run;
mod gather;
mod guess;
mod receive;
mod spool;
mod stages;
mod trouble;
mod worker;

pub(crate) use dry_run::dry_run;
pub(crate) use receive::{ReceiveError, Receiving, record};
pub(crate) use spool::{ReadBack, Spool, SpoolError};
pub(crate) use worker::{ImportError, Importer};
