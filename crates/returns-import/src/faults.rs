//! Why imports that this process works on are stalled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The fault of an import that is parked.
const PARKED: &str = "the process ended twice while it worked on this import, so the import is \
                      parked; `echeck imports retry` tries it again";

/// Why imports that this process works on are stalled now, by import.
#[derive(Debug, Clone, Default)]
pub struct ImportFaults(Arc<Mutex<HashMap<String, String>>>);

impl ImportFaults {
    /// Why an import is stalled now.
    pub fn of(&self, import_id: &str) -> Option<String> {
        self.lock().get(import_id).cloned()
    }

    pub(crate) fn set(&self, import_id: &str, fault: Option<String>) {
        let mut faults = self.lock();
        match fault {
            Some(fault) => faults.insert(import_id.to_owned(), fault),
            None => faults.remove(import_id),
        };
    }

    /// The import is parked.
    pub(crate) fn set_parked(&self, import_id: &str) {
        self.set(import_id, Some(PARKED.to_owned()));
    }

    /// The import is no longer parked. It may have another fault by now, which stays.
    pub(crate) fn clear_parked(&self, import_id: &str) {
        let mut faults = self.lock();
        if faults.get(import_id).is_some_and(|fault| fault == PARKED) {
            faults.remove(import_id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
