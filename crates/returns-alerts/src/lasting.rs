//! A fault that is watched is told once it has lasted: one check that fails may be a hiccup.

use std::time::Duration;

use tokio::time::Instant;

/// How long the checks of one thing have failed.
#[derive(Debug)]
pub struct Lasting {
    /// How long they may fail before people are notified.
    patience: Duration,
    since: Option<Instant>,
}

impl Lasting {
    /// Nothing has failed yet.
    pub fn new(patience: Duration) -> Self {
        Self {
            patience,
            since: None,
        }
    }

    /// A check that began at `began` failed. Gives whether it is time to notify people.
    pub fn failed(&mut self, began: Instant) -> bool {
        let since = *self.since.get_or_insert(began);
        since.elapsed() >= self.patience
    }

    /// A check passed, or nobody checks any more.
    pub fn passed(&mut self) {
        self.since = None;
    }
}
