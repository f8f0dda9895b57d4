//! What an alert says besides the problem itself is found by a [`Diagnoser`].

use std::time::Duration;

use async_trait::async_trait;
use returns_model::check::Diagnosis;
use returns_model::incident::Problem;

/// How long a diagnosis may take. An alert leaves within ten seconds of the failure, and writing
/// and delivering it take their time too.
pub(super) const LONGEST_DIAGNOSIS: Duration = Duration::from_secs(6);

/// Checks everything that has to do with a problem.
#[async_trait]
pub trait Diagnoser: Send + Sync + 'static {
    /// What was found. It is given up after six seconds; the alert then leaves without it.
    async fn diagnose(&self, problem: &Problem) -> Diagnosis;
}
