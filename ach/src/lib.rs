//! The rules of ACH returns, as a library anyone could use: codes, banking calendar,
//! deadlines, money, file formats and the decision. It does no I/O of its own, is not
//! async, and never reads a clock.

pub mod calendar;
pub mod code;
pub mod deadline;
pub mod decision;
pub mod entry;
#[cfg(test)]
mod fixture;
pub mod format;
pub mod julian;
pub mod money;
mod text_enum;
