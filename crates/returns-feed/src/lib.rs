#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod adopt;
mod batch;
mod blocked;
mod compare;
mod cursor;
mod error;
mod exception;
mod feed;
mod identity;
mod job;
mod problem;
pub mod settle;
mod skip;
mod step;
mod target;
mod watch;

#[cfg(test)]
mod tests;

pub use adopt::{AdoptError, AdoptRequest};
pub use compare::{Compared, MissingReturn};
pub use error::FeedError;
pub use feed::{Feed, Role};
pub use job::FeedJob;
pub use target::{AdapterClock, AdapterProbe};
pub use watch::AdapterWatch;
