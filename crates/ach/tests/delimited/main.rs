//! Delimited files, as their senders write them and as they go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, its own functions too"
)]

mod control;
mod excel;
mod header;
mod json;
mod limits;
mod parsed;
mod profile;
mod properties;
mod public_reports;
mod reports;
mod rows;
mod values;
mod vendors;
mod worldpay;
