//! Delimited files, as their senders write them and as they go wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's own helpers may fail it"
)]

#[path = "delimited/control.rs"]
mod control;
#[path = "delimited/header.rs"]
mod header;
#[path = "delimited/profile.rs"]
mod profile;
#[path = "delimited/properties.rs"]
mod properties;
#[path = "delimited/rows.rs"]
mod rows;
#[path = "delimited/support.rs"]
mod support;
#[path = "delimited/values.rs"]
mod values;
#[path = "delimited/vendors.rs"]
mod vendors;
#[path = "delimited/worldpay.rs"]
mod worldpay;
