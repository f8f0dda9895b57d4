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

pub use class::Class;
pub use command::{SampleArguments, run};
pub use databases::fill;
pub use delimited::{echeck_return, funding_reject};
pub use line::{Line, Plan};
pub use nacha::{Layout, nacha};
pub use payment::{Payment, World};
