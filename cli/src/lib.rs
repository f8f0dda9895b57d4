#![doc = include_str!("../README.md")]

pub mod client;
pub mod codes;
pub mod database;
pub mod demo;
pub mod output;
pub mod parse;
pub mod sample;
pub mod stack;
pub mod up;
