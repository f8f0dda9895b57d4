#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
pub mod failpoint;
pub mod planted;
pub mod server;
pub mod shutdown;
pub mod telemetry;
