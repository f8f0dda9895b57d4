#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

pub mod adapter;
mod batches;
mod check;
mod counts;
pub mod decide;
mod drive;
mod dry_run;
mod faults;
mod gather;
mod guess;
pub mod hold;
mod import_times;
mod parked;
mod problem;
mod receive;
pub mod source;
mod spool;
mod weight;
mod worker;

pub use dry_run::DryRun;
pub use faults::ImportFaults;
pub use guess::sources_like;
pub use receive::{KeptFile, ReceiveError, Receiving};
pub use source::Source;
pub use spool::{ReadBack, Spool, SpoolError, SpoolKeeper};
pub use worker::{ImportError, Importer};
