//! The runs that this process works on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The ids of the runs that this process works on.
#[derive(Debug, Clone, Default)]
pub struct OwnRuns(Arc<Mutex<HashSet<String>>>);

/// A run's place among them. It is free again also when the work panicked, so that the run is
/// taken over instead of standing in its source's way for ever.
#[derive(Debug)]
pub(super) struct RunningRun {
    running: OwnRuns,
    run_id: String,
}

impl OwnRuns {
    pub(super) fn ids(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    /// Takes a run's place; `None` when it has it already.
    pub(super) fn take(&self, run_id: &str) -> Option<RunningRun> {
        self.lock().insert(run_id.to_owned()).then(|| RunningRun {
            running: self.clone(),
            run_id: run_id.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningRun {
    fn drop(&mut self) {
        self.running.lock().remove(&self.run_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_worked_on_once_at_a_time() {
        let running = OwnRuns::default();
        let place = running.take("run_1").unwrap();
        assert!(running.take("run_1").is_none(), "it looks left behind");
        assert!(running.take("run_2").is_some());
        assert_eq!(running.ids(), ["run_1"], "the other is over");
        drop(place);
        assert!(running.take("run_1").is_some());
    }

    #[test]
    fn a_run_whose_work_panicked_is_free_again() {
        let running = OwnRuns::default();
        let place = running.take("run_1");
        let work = std::thread::spawn(move || {
            let _place = place;
            panic!("the work");
        });
        assert!(work.join().is_err());
        assert!(running.take("run_1").is_some());
    }
}
