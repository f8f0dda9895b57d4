//! What people see: on terminals of several widths, in a pipe, live, and as the demo's story.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail loudly, its own functions too"
)]

mod colors;
mod demo;
mod every_command;
mod filters;
mod live;
mod support;
