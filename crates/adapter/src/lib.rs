#![doc = include_str!("../README.md")]

mod adopt;
pub mod api;
pub mod apply;
pub mod batch;
mod batch_group;
pub mod check;
pub mod command;
pub mod config;
pub mod cursor;
pub mod dialect;
pub mod identifier;
pub mod mapping;
pub mod progress;
mod public_message;
pub mod row;
pub mod schema;
pub mod serve;
mod status;
pub mod target_url;
#[cfg(feature = "testing")]
pub mod testing;
pub mod timestamp;
pub mod values_table;

pub use public_message::public_message;
