#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
pub mod server;
pub mod shutdown;
pub mod telemetry;
