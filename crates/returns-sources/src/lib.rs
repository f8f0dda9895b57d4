#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod archive_remote;
mod awaited;
mod error;
mod fetch;
mod folder;
mod listing;
mod location;
mod name;
mod probe;
pub mod schedule;
mod secret;
mod session;
mod settings;
mod sftp;
mod source_probe;
#[cfg(test)]
mod tests;
mod unwrap;

pub use location::RemoteLocation;
pub use settings::read;
pub use source_probe::SourceProbe;
