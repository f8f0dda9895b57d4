#![doc = include_str!("../README.md")]

mod files;
mod processes;
mod tmpfs;
mod world;

pub use files::{Nacha, NachaEntry, VALIDATION_SOURCE, Worldpay, WorldpayRow, funding_rejects};
pub use processes::{Process, binary, port, tool};
pub use tmpfs::Tmpfs;
pub use world::{Payment, World, eventually};
