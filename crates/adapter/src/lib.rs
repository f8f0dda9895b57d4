#![doc = include_str!("../README.md")]

mod adopt;
pub mod amount;
pub mod api;
pub mod apply;
pub mod batch;
mod batch_group;
pub mod check;
mod checks;
pub mod command;
pub mod config;
mod conflict;
pub mod cursor;
pub mod dialect;
pub mod fit;
pub mod identifier;
mod identity;
mod late_target;
mod locked;
pub mod mapping;
pub mod metrics;
mod needs;
pub mod progress;
pub mod proposal;
mod public_message;
pub mod row;
pub mod row_filter;
pub mod schema;
pub mod serve;
mod status;
pub mod target_url;
#[cfg(feature = "testing")]
pub mod testing;
pub mod timestamp;
mod trial;
pub mod values_table;

pub use identity::{ClaimRefused, IdentityMismatch, TargetIdentity};
pub use public_message::public_message;
