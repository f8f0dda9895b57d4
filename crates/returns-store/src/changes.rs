//! A bell that every part of the service rings when it has changed something, so that the
//! others need not poll for it. Missing a ring is harmless: everybody also looks by the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The bell.
#[derive(Clone)]
pub struct Notifier {
    version: Arc<watch::Sender<u64>>,
}

impl Default for Notifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Notifier {
    pub fn new() -> Self {
        Self {
            version: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Says that something has changed.
    pub fn bump(&self) {
        self.version
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    /// What to hand to [`Notifier::wait`]; read it before looking at the state.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Waits for a change after `seen`, at most `longest`, or for the shutdown.
    pub async fn wait(&self, seen: u64, longest: Duration, shutdown: &CancellationToken) {
        let mut receiver = self.version.subscribe();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(longest) => {}
            // The sender lives as long as self, so this ends only with a change.
            _ = receiver.wait_for(|version| *version != seen) => {}
        }
    }
}
