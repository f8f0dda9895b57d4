#![doc = include_str!("../README.md")]

pub mod advice;
pub mod calendar;
pub mod code;
pub mod correction_clock;
pub mod deadline;
pub mod decision;
pub mod dishonor;
pub mod entry;
#[cfg(test)]
mod fixture;
pub mod format;
mod julian;
pub mod money;
mod text_enum;
