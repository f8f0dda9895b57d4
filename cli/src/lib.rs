#![doc = include_str!("../README.md")]

mod adapter_init;
mod client;
mod codes;
mod command;
pub mod database;
mod demo;
mod exit;
mod explain;
mod failure;
mod manual;
mod output;
mod parse;
mod profile;
mod sample;
pub mod stack;
mod token;
mod up;
mod words;

pub use command::run;
