//! Turns of background work. While somebody waits for a read, heavy work is done one piece at a time
//! instead of all at once, so that neither this process nor a database keeps every processor busy: a
//! read goes through several hands, and waits for a processor at each.
//!
//! It is a courtesy and no lock: work that has waited for long goes on without a turn, so that one
//! piece that hangs stops no other.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

/// For so long after the last question somebody is expected to ask again.
const QUIET: Duration = Duration::from_millis(250);
/// Work waits no longer for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

static TURNS: LazyLock<Turns> = LazyLock::new(|| Turns::new(LONGEST_WAIT));

/// Somebody asks, and waits for the answer.
pub fn asked() {
    TURNS.asked();
}

/// Waits until the next piece of heavy work may be done. The turn ends when what it gives is
/// dropped.
pub async fn take() -> Turn {
    TURNS.take().await
}

/// A turn; none where nobody waits for an answer.
pub struct Turn(Option<SemaphorePermit<'static>>);

impl Turn {
    /// Ends the turn.
    pub fn end(self) {
        drop(self.0);
    }
}

struct Turns {
    began: Instant,
    /// When the last question came, in milliseconds after `began`; 0 before the first.
    asked_ms: AtomicU64,
    one: Semaphore,
    longest_wait: Duration,
}

impl Turns {
    fn new(longest_wait: Duration) -> Self {
        Self {
            longest_wait,
            began: Instant::now(),
            asked_ms: AtomicU64::new(0),
            one: Semaphore::const_new(1),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn asked(&self) {
        self.asked_ms.store(self.now_ms().max(1), Relaxed);
    }

    fn somebody_waits(&self) -> bool {
        let asked = self.asked_ms.load(Relaxed);
        let quiet = u64::try_from(QUIET.as_millis()).unwrap_or(u64::MAX);
        asked > 0 && self.now_ms() < asked.saturating_add(quiet)
    }

    async fn take(&'static self) -> Turn {
        if !self.somebody_waits() {
            return Turn(None);
        }
        let turn = tokio::time::timeout(self.longest_wait, self.one.acquire()).await;
        // It is never closed; and after a long wait there is no turn.
        Turn(turn.ok().and_then(Result::ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_one_piece_at_a_time_while_somebody_asks_and_all_at_once_else() {
        let turns: &'static Turns = Box::leak(Box::new(Turns::new(LONGEST_WAIT)));
        let (one, other) = (turns.take().await, turns.take().await);
        assert!(one.0.is_none() && other.0.is_none());
        turns.asked();
        let one = turns.take().await;
        assert!(one.0.is_some());
        let waiting = tokio::spawn(turns.take());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        one.end();
        assert!(waiting.await.unwrap().0.is_some());
    }

    #[tokio::test]
    async fn work_that_has_waited_for_long_goes_on() {
        let turns: &'static Turns = Box::leak(Box::new(Turns::new(Duration::from_millis(5))));
        turns.asked();
        let hangs = turns.take().await;
        assert!(turns.take().await.0.is_none());
        hangs.end();
    }
}
