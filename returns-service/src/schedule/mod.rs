//! The daily job: when a source is looked at, what one run does, and what came of it.

mod arrival;
mod carry_out;
mod fate;
mod findings;
mod jobs;
mod long_run;
mod outcome;
mod plan;
mod presence;
mod put_away;
mod run;
mod running;
mod settings;
mod take;

pub(crate) use arrival::{Arrival, arrivals};
pub(crate) use jobs::{Jobs, RetryTimes, in_force};
pub(crate) use outcome::{Outcome, Trigger};
pub(crate) use plan::{Days, Plan, PlanFault, PlanText};
pub(crate) use settings::plans;
