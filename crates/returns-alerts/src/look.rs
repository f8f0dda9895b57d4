//! What an alert carries besides the problem itself: whoever looks is told the problem, and
//! gives what was found.

use std::time::Duration;

use async_trait::async_trait;
use returns_model::check::Diagnosis;
use returns_model::incident::Problem;

/// How long a look may take. An alert leaves within ten seconds of the failure, and writing
/// and delivering it take their time too.
pub(super) const LONGEST_LOOK: Duration = Duration::from_secs(6);

/// Looks at everything that has to do with some problem.
#[async_trait]
pub trait Diagnoser: Send + Sync + 'static {
    /// What is found. Given up after six seconds; the alert then goes out without it.
    async fn look(&self, problem: &Problem) -> Diagnosis;
}
