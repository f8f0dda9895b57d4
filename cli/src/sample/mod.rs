//! An invented world of eChecks, and an acquirer's files about it. Everything is computed from a
//! seed and a number. So any size can be written as a stream, and a file agrees with the databases
//! without reading them.

mod class;
mod command;
mod databases;
mod delimited;
mod draws;
mod line;
mod nacha;
mod payment;
mod people;
mod profiled;
mod structured;

pub(crate) use command::{SampleArguments, run};
pub(crate) use databases::fill;
pub(crate) use delimited::{echeck_return, funding_reject};
pub(crate) use line::FilePlan;
pub(crate) use nacha::{Layout, nacha};
pub(crate) use payment::{SampleWorld, banking_day_until, us_eastern_date};
pub(crate) use profiled::{excel, json};
pub(crate) use structured::{bai2, iso20022, x12};
