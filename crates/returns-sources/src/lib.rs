//! Where the files of a source are picked up, and the daily job that does it.
#![allow(
    missing_docs,
    reason = "fields say what they hold by their names; tests/tests/house.rs checks that items have docs"
)]

mod error;
mod fetch;
mod folder;
mod listing;
mod name;
mod pickup;
mod probe;
mod put_away;
pub mod schedule;
mod secret;
mod session;
mod settings;
mod sftp;
mod source_probe;
#[cfg(test)]
mod tests;
mod unwrap;

pub use pickup::Pickup;
pub use settings::read;
pub use {
    error::SourceError,
    listing::{Completeness, Growing, RemoteFile, Stock},
    pickup::After,
    probe::probe,
    session::Session,
    source_probe::SourceProbe,
};
