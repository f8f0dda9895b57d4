//! The NACHA reader against whole files: the deviations of real banks, rejections, random
//! files and bounds. The files are our own, made for these tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot continue panics"
)]

mod bounds;
mod content;
mod form;
mod layouts;
mod parsed;
mod random;
mod reject_codes;
mod rejected;
mod writer;
