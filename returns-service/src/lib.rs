#![doc = include_str!("../README.md")]

mod adapter;
mod api;
mod bucket;
mod chain;
mod changes;
mod config;
mod decide;
mod diagnosis;
mod dishonor;
mod feed;
mod hold;
mod ids;
mod import;
mod incident;
mod journal;
mod replica;
mod report;
mod schedule;
mod service;
mod settle;
mod source;
mod stage;
mod store;
mod webhook;

pub use config::Config;
pub use service::{ServiceError, migrate, new_spool_identity, run};
