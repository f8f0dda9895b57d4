//! What the service cannot work without. While it lacks any of it, the heartbeat stops.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the service lacks, as its watches see it.
#[derive(Debug, Clone, Default)]
pub struct Vitals(Arc<Mutex<BTreeMap<String, String>>>);

impl Vitals {
    /// Notes what is lacking, and why.
    pub fn lacks(&self, what: &str, why: &str) {
        self.lacking().insert(what.to_owned(), why.to_owned());
    }

    /// Notes that it is there, or that another replica watches it.
    pub fn has(&self, what: &str) {
        self.lacking().remove(what);
    }

    /// The first thing that is lacking.
    pub fn fault(&self) -> Option<String> {
        self.lacking().values().next().cloned()
    }

    fn lacking(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
