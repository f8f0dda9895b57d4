#![doc = include_str!("../README.md")]

mod callers;
mod debits;
mod files;
mod fleet;
mod processes;
mod tmpfs;
mod world;

pub use callers::{Bearer, TokenCaller};
pub use debits::{add_debits, address};
pub use echeck_test_servers::port;
pub use files::{Nacha, NachaEntry, VALIDATION_SOURCE, Worldpay, WorldpayRow, funding_rejects};
pub use fleet::{Fleet, connect, serve, start};
pub use processes::{Process, binary, tool};
pub use tmpfs::Tmpfs;
pub use world::{Payment, World, eventually, spooled, verdict_at};
