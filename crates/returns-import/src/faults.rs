//! Why imports that this process works on are stalled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
