#![doc = include_str!("../README.md")]

pub mod adopt;
pub mod apply;
pub mod batch;
pub mod check;
pub mod command;
pub mod config;
pub mod cursor;
pub mod dialect;
pub mod identifier;
pub mod mapping;
pub mod progress;
pub mod row;
pub mod schema;
pub mod serve;
pub mod service;
pub mod set;
pub mod status;
pub mod target_url;
#[cfg(feature = "testing")]
pub mod testing;
pub mod timestamp;
mod wave;
