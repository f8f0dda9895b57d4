//! The sender against real receivers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod canary;
mod endings;
mod owners;
mod receivers;
mod workers;
mod world;
