#![doc = include_str!("../README.md")]

mod adapter;
mod api;
mod chain;
mod changes;
mod config;
mod decide;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the parts that look are being built")
)]
mod diagnosis;
mod feed;
mod hold;
mod ids;
mod import;
#[expect(dead_code, reason = "those who meet most causes are being built")]
mod incident;
mod journal;
mod replica;
mod service;
mod source;
mod stage;
mod store;

pub use config::Config;
pub use service::{ServiceError, migrate, new_spool_identity, run};
