#![doc = include_str!("../README.md")]

mod client;
mod codes;
mod command;
pub mod database;
mod demo;
mod explain;
mod output;
mod parse;
mod profile;
mod sample;
pub mod stack;
mod token;
mod up;

pub use command::run;
