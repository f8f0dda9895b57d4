//! What an alert says besides the problem itself is found by a [`Diagnoser`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use returns_model::check::Diagnosis;
use returns_model::incident::{Area, Problem};
use tokio::task::JoinHandle;

/// How long a diagnosis may take. An alert leaves within ten seconds of the failure, and writing
/// and delivering it take their time too.
const LONGEST_DIAGNOSIS: Duration = Duration::from_secs(6);

/// Checks everything that has to do with a problem.
#[async_trait]
pub trait Diagnoser: Send + Sync + 'static {
    /// What was found. It is given up after six seconds; the alert then leaves without it.
    async fn diagnose(&self, problem: &Problem) -> Diagnosis;
}

/// Begins a diagnosis, which ends in the time that there is.
pub(super) fn start_diagnosis(
    diagnoser: &Arc<dyn Diagnoser>,
    problem: &Arc<Problem>,
) -> JoinHandle<Diagnosis> {
    let (diagnoser, problem) = (diagnoser.clone(), problem.clone());
    tokio::spawn(async move {
        match problem.cause.area() {
            // There is nothing of ours to check.
            Area::Held
            | Area::Waiting
            | Area::Alerting
            | Area::Webhook
            | Area::Integrity
            | Area::Process => Diagnosis::default(),
            Area::Reach
            | Area::Presence
            | Area::Content
            | Area::Disk
            | Area::Bucket
            | Area::Store
            | Area::Target
            | Area::Refusal
            | Area::Import
            | Area::Stream
            | Area::Clock => {
                let diagnosing = diagnoser.diagnose(&problem);
                let diagnosed = tokio::time::timeout(LONGEST_DIAGNOSIS, diagnosing).await;
                diagnosed.unwrap_or_else(|_| {
                    tracing::warn!("the diagnosis took too long; the alert leaves without it");
                    Diagnosis::default()
                })
            }
        }
    })
}
