#![doc = include_str!("../README.md")]

pub mod access;
pub mod background;
pub mod batcher;
pub mod clock;
pub mod config;
mod error_chain;
pub mod failpoint;
pub mod limited;
pub mod machine;
pub mod metrics;
#[cfg(feature = "outbound")]
pub mod outbound;
pub mod privacy;
mod reloaded;
pub mod room;
pub mod server;
pub mod shutdown;
pub mod stopwatch;
pub mod telemetry;
pub mod tls;
pub mod turns;

pub use error_chain::{ErrorChain, innermost};
pub use reloaded::FileFault;
