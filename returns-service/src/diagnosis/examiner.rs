//! Looks at everything that the job needs, all at once, in some five seconds at most.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use echeck_service::clock::SharedClock;
use futures_util::future::{BoxFuture, join_all};
use uuid::Uuid;

use super::target::PATIENCE;
use super::{Check, CheckResult, machine, target};
use crate::adapter::Adapter;
use crate::bucket::{self, Bucket};
use crate::incident::Area;
use crate::schedule::{Arrival, Plan, arrivals, in_force};
use crate::source::{self, Source};
use crate::store::{Store, StoreError};

/// What is looked at.
pub(crate) struct Examiner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sources: HashMap<String, Source>,
    /// The plans of the configuration, by source.
    pub(crate) plans: HashMap<String, Plan>,
    pub(crate) adapters: Vec<Adapter>,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) spool_folder: PathBuf,
    pub(crate) clock: SharedClock,
}

/// A check, and the source that it belongs to; without one it is everybody's.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) source: Option<String>,
    pub(crate) check: Check,
}

impl Found {
    pub(crate) fn into_check(self) -> Check {
        self.check
    }
}

impl Examiner {
    /// Looks at the source, or at all sources, and at what they share.
    pub(crate) async fn examine(&self, source: Option<&str>) -> Vec<Found> {
        let wanted = |name: &str| source.is_none_or(|source| source == name);
        let mut places: Vec<&Source> = self.sources.values().filter(|s| wanted(&s.name)).collect();
        places.sort_by(|a, b| a.name.cmp(&b.name));
        let places = join_all(places.into_iter().map(|source| self.place(source)));
        let (places, shared) = tokio::join!(places, self.shared());
        places.into_iter().flatten().chain(shared).collect()
    }

    async fn place(&self, source: &Source) -> Vec<Found> {
        let Some(pickup) = &source.pickup else {
            return Vec::new();
        };
        let (checks, missing) = tokio::join!(
            source::probe(pickup, self.clock.now()),
            self.is_missing(&source.name)
        );
        checks
            .into_iter()
            .map(|check| Found {
                source: Some(source.name.clone()),
                check: if missing { check } else { not_due(check) },
            })
            .collect()
    }

    /// Whether a file is due and has not come. While the returns database does not answer,
    /// nobody knows, so what is not there is told.
    async fn is_missing(&self, source: &str) -> bool {
        let now = self.clock.now();
        let looked: BoxFuture<'_, Result<_, StoreError>> = Box::pin(async {
            let state = self.store.source_state(source, now).await?;
            let plan = in_force(&state, &self.plans);
            arrivals(&*self.store, &state, plan.as_ref(), now).await
        });
        match tokio::time::timeout(PATIENCE, looked).await {
            Ok(Ok(arrivals)) => arrivals.iter().any(Arrival::is_missing),
            Ok(Err(_)) | Err(_) => true,
        }
    }

    async fn shared(&self) -> Vec<Found> {
        let now = self.clock.now();
        let adapters = join_all(
            self.adapters
                .iter()
                .map(|adapter| target::adapter(adapter, now)),
        );
        let bucket = async {
            match &self.bucket {
                Some(bucket) => bucket::probe(bucket, Uuid::new_v4()).await,
                None => Vec::new(),
            }
        };
        let (disk, store, adapters, bucket) = tokio::join!(
            machine::disk(&self.spool_folder),
            target::store(&*self.store),
            adapters,
            bucket
        );
        let shared = [disk, store]
            .into_iter()
            .chain(adapters.into_iter().flatten());
        shared
            .chain(bucket)
            .map(|check| Found {
                source: None,
                check,
            })
            .collect()
    }
}

/// A file that is not there is no fault while none is due.
fn not_due(check: Check) -> Check {
    let result = match check.result {
        CheckResult::Failed(cause) if cause.area() == Area::Presence => {
            CheckResult::Passed(format!("none is due. {}", cause.headline()))
        }
        other => other,
    };
    Check { result, ..check }
}
