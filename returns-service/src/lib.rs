#![doc = include_str!("../README.md")]

mod api;
mod config;
mod service;
#[cfg(test)]
mod webhook_tests;

pub use config::Config;
pub use returns_verify::new_signing_key;
pub use service::{Checked, ServiceError, check, migrate, new_spool_identity, re_encrypt, run};
