#![doc = include_str!("../README.md")]

#[allow(
    missing_docs,
    reason = "clap shows no help of its own for arguments that are flattened in"
)]
pub mod client;
pub mod codes;
pub mod database;
pub mod demo;
pub mod output;
pub mod parse;
pub mod sample;
pub mod stack;
pub mod up;
