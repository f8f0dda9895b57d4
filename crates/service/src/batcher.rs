//! One statement for all who ask at the same time. While a batch is at work, those who ask wait, and the
//! next batch is theirs together: the more callers there are, the fewer statements each costs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tracing::Instrument as _;

/// How many batches are at work at the same time: one is put together while another is with a database.
const MOST_AT_ONCE: usize = 2;

/// The work on a batch ended without an answer: the process stops, or the work panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work ended without an answer")]
pub struct WithoutAnswer;

/// Those who wait, and how many batches are at work.
struct State<K, V> {
    waiting: VecDeque<Waiter<K, V>>,
    at_work: usize,
}

/// A caller with its keys.
struct Waiter<K, V> {
    keys: Vec<K>,
    answer: oneshot::Sender<Vec<V>>,
}

/// Puts the keys of several callers together.
pub struct Batcher<K, V> {
    state: Arc<Mutex<State<K, V>>>,
    /// Of a batch.
    most_keys: usize,
}

impl<K, V> Clone for Batcher<K, V> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            most_keys: self.most_keys,
        }
    }
}

impl<K, V> Batcher<K, V> {
    /// Batches of at most so many keys.
    pub fn new(most_keys: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                waiting: VecDeque::new(),
                at_work: 0,
            })),
            most_keys,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; `None`, and the place of its worker is free, when nobody waits.
    fn take(&self) -> Option<Vec<Waiter<K, V>>> {
        let mut state = self.lock();
        let mut batch: Vec<Waiter<K, V>> = Vec::new();
        let mut keys = 0;
        while let Some(next) = state.waiting.front() {
            keys += next.keys.len();
            if keys > self.most_keys && !batch.is_empty() {
                break;
            }
            batch.extend(state.waiting.pop_front());
        }
        if batch.is_empty() {
            state.at_work -= 1;
            return None;
        }
        Some(batch)
    }
}

impl<K: Send + 'static, V: Send + 'static> Batcher<K, V> {
    /// What `work` says of each of `keys`, in their order; they are worked on together with those of other
    /// callers. A batch is worked on to its end even if a caller goes away.
    ///
    /// # Errors
    /// When the work ends without an answer.
    pub async fn load<F>(
        &self,
        keys: Vec<K>,
        work: impl Fn(Vec<K>) -> F + Send + Sync + 'static,
    ) -> Result<Vec<V>, WithoutAnswer>
    where
        F: Future<Output = Vec<V>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let begin = {
            let mut state = self.lock();
            state.waiting.push_back(Waiter { keys, answer });
            let begin = state.at_work < MOST_AT_ONCE;
            state.at_work += usize::from(begin);
            begin
        };
        if begin {
            let batcher = self.clone();
            let working = async move {
                while let Some(batch) = batcher.take() {
                    work_on(batch, &work).await;
                }
            };
            tokio::spawn(working.in_current_span());
        }
        answered.await.map_err(|_| WithoutAnswer)
    }
}

/// Works on the keys of all callers of a batch, and gives each its own.
async fn work_on<K, V, F: Future<Output = Vec<V>>>(
    batch: Vec<Waiter<K, V>>,
    work: impl Fn(Vec<K>) -> F,
) {
    let mut keys = Vec::new();
    let mut waiting = Vec::with_capacity(batch.len());
    for waiter in batch {
        waiting.push((waiter.keys.len(), waiter.answer));
        keys.extend(waiter.keys);
    }
    let mut answers = work(keys).await.into_iter();
    for (count, answer) in waiting {
        // A caller that has gone needs no answer.
        let _ = answer.send(answers.by_ref().take(count).collect());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_during_a_read_share_the_next() {
        let batcher: Batcher<usize, usize> = Batcher::new(100);
        let reads = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let read = |reads: Arc<AtomicUsize>, gate: Arc<Semaphore>| {
            move |keys: Vec<usize>| {
                let (reads, gate) = (Arc::clone(&reads), Arc::clone(&gate));
                async move {
                    reads.fetch_add(1, Ordering::Relaxed);
                    gate.acquire().await.unwrap().forget();
                    keys.into_iter().map(|key| key * 10).collect()
                }
            }
        };
        let asking = (0..300)
            .map(|key| batcher.load(vec![key, key], read(Arc::clone(&reads), Arc::clone(&gate))));
        let opening = async {
            // Every caller waits by now: they were asked first, in their order.
            gate.add_permits(1_000);
        };
        let (answers, ()) = tokio::join!(join_all(asking), opening);
        for (key, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer, Ok(vec![key * 10, key * 10]));
        }
        // Six hundred keys, a hundred at most in one read.
        let read = reads.load(Ordering::Relaxed);
        assert!((6..=8).contains(&read), "{read} reads");
    }

    #[tokio::test]
    async fn work_that_dies_ends_the_wait_of_its_callers_alone() {
        let batcher: Batcher<usize, usize> = Batcher::new(100);
        let dying = batcher.load(vec![1], |_| async { panic!("the work died") });
        assert_eq!(dying.await, Err(WithoutAnswer));
        let good = batcher.load(vec![2], |keys| async { keys });
        assert_eq!(good.await, Ok(vec![2]));
    }
}
