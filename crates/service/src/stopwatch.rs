//! Where the time goes: logged when a piece of work is done, since totals say more than a guess.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// The time that was spent in one stage.
#[derive(Debug, Default)]
pub struct Stopwatch(AtomicU64);

impl Stopwatch {
    /// Does some work of this stage.
    pub async fn time<T>(&self, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = work.await;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(micros, Ordering::Relaxed);
        done
    }

    /// How much it was, in milliseconds.
    pub fn ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed) / 1_000
    }

    /// How much it was since the last time this was asked, in milliseconds.
    pub fn take_ms(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed) / 1_000
    }
}
