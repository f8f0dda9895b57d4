//! The harness of the end-to-end tests: a whole stack on databases of its own, payments in a
//! line, and the questions that tests ask.

mod files;
mod processes;
mod world;

pub use files::{Nacha, NachaEntry, Worldpay, WorldpayRow, funding_rejects};
pub use processes::{Process, binary, tool};
pub use world::{Payment, World, eventually};
