#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
mod error_chain;
pub mod failpoint;
pub mod machine;
#[cfg(feature = "outbound")]
pub mod outbound;
pub mod privacy;
pub mod room;
pub mod server;
pub mod shutdown;
pub mod stopwatch;
pub mod telemetry;

pub use error_chain::{ErrorChain, innermost};
