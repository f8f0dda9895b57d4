//! The check of a source for the diagnosis.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use echeck_service::clock::SharedClock;
use returns_alerts::diagnosis::{PATIENCE, Probe};
use returns_model::check::{Check, CheckResult};
use returns_model::incident::Area;
use returns_model::plan::Plan;
use returns_store::{Store, StoreError};

use crate::location::RemoteLocation;
use crate::probe::probe;
use crate::schedule::{Arrival, arrivals, in_force};

/// Checks the place where a source's files are picked up.
pub struct SourceProbe {
    /// The source.
    pub source: String,
    /// Where its files are picked up.
    pub location: RemoteLocation,
    /// The returns database, which knows what has come.
    pub store: Arc<dyn Store>,
    /// The plans of the configuration, by source.
    pub plans: HashMap<String, Plan>,
    /// The time.
    pub clock: SharedClock,
}

#[async_trait]
impl Probe for SourceProbe {
    fn source(&self) -> Option<&str> {
        Some(&self.source)
    }

    async fn checks(&self) -> Vec<Check> {
        let (checks, missing) =
            tokio::join!(probe(&self.location, self.clock.now()), self.is_missing());
        let judged = |check| if missing { check } else { not_due(check) };
        checks.into_iter().map(judged).collect()
    }
}

impl SourceProbe {
    /// Whether a file is due and has not come. While the returns database does not answer,
    /// that is unknown, so a file that is not there is reported.
    async fn is_missing(&self) -> bool {
        let now = self.clock.now();
        let asked = async {
            let state = self.store.source_state(&self.source, now).await?;
            let plan = in_force(&state, &self.plans);
            let arrivals = arrivals(&*self.store, &state, plan.as_ref(), now).await?;
            Ok::<_, StoreError>(arrivals.iter().any(Arrival::is_missing))
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(missing)) => missing,
            Ok(Err(_)) | Err(_) => true,
        }
    }
}

/// A file that is not there is not a fault while none is due.
fn not_due(check: Check) -> Check {
    let result = match check.result {
        CheckResult::Failed(cause) if cause.area() == Area::Presence => {
            CheckResult::Passed(format!("none is due. {}", cause.headline()))
        }
        other => other,
    };
    Check { result, ..check }
}
