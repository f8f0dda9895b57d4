//! The NACHA reader against whole files: the deviations of real banks, refusals, random
//! files and bounds. The files are our own, made for these tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod bounds;
mod content;
mod form;
mod parsed;
mod random;
mod rejected;
mod writer;
