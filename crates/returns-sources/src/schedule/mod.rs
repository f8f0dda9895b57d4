//! The daily job: when a source is looked at, what one run does, and what came of it.

mod archive_remote;
mod arrival;
mod arrival_check;
mod await_import;
mod execute;
mod findings;
mod long_run;
mod run;
mod running;
mod scheduler;
mod settings;
mod silence;
mod take;

pub(crate) use arrival::{Arrival, arrivals};
pub(crate) use scheduler::in_force;
pub use scheduler::{RetryTimes, Scheduler};
pub use settings::plans;
