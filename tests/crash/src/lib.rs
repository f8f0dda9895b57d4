//! The crash campaign: real binaries on real databases, killed, paused and cut off at any
//! moment, and an oracle that knows what must have come of it. See docs/guarantees.md.

pub mod bug;
pub mod campaign;
pub mod check;
mod db;
pub mod fault;
mod load;
pub mod matrix;
pub mod oracle;
pub mod report;
pub mod rig;
mod seed;
pub mod self_test;
pub mod world;
