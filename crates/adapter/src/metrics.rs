//! What an adapter counts and measures.

use echeck_service::metrics::Metric;

/// How long a batch takes.
pub static APPLY_DURATION: Metric = Metric::seconds(
    "echeck.apply.duration",
    &["outcome"],
    "How long it takes to apply one batch of steps to the target database: done or failed.",
);

/// Steps that were applied.
pub static STEPS: Metric = Metric::counter(
    "echeck.steps",
    "{step}",
    &["outcome"],
    "Steps of batches that were applied: passed, or recorded as an exception.",
);

/// Every number of an adapter.
pub static ALL: &[&Metric] = &[&APPLY_DURATION, &STEPS];
