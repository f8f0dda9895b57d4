//! Looks at everything that the job needs, all at once, in some five seconds at most.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use echeck_service::clock::SharedClock;
use futures_util::future::join_all;
use uuid::Uuid;

use super::{Check, machine, target};
use crate::adapter::Adapter;
use crate::bucket::{self, Bucket};
use crate::source::{self, Source};
use crate::store::Store;

/// What is looked at.
pub(crate) struct Examiner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sources: HashMap<String, Source>,
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
    pub(crate) async fn look(&self, source: Option<&str>) -> Vec<Found> {
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
        let checks = source::probe(pickup, self.clock.now()).await;
        checks
            .into_iter()
            .map(|check| Found {
                source: Some(source.name.clone()),
                check,
            })
            .collect()
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
