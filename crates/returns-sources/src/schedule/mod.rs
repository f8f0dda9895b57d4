//! The daily job: when a source is looked at, what one run does, and what came of it.

mod arrival;
mod carry_out;
mod fate;
mod findings;
mod jobs;
mod long_run;
mod presence;
mod put_away;
mod run;
mod running;
mod settings;
mod take;

pub use arrival::{Arrival, arrivals};
pub use jobs::{Jobs, RetryTimes, in_force};
pub use settings::plans;
