#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod error;
mod job;
mod message;
mod opened;
mod probe;
mod settings;

pub use error::StreamError;
pub use job::StreamJob;
pub use probe::StreamProbe;
pub use settings::{LogIn, StreamSettings};
