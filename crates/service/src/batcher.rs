//! One read for all who ask at the same time. While a batch is being read, those who ask wait, and
//! the next batch is theirs together: the more callers there are, the fewer statements each costs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::errors::{self, ApiError};

/// How many batches are read at the same time: one is put together while another is with a database.
const MOST_AT_ONCE: usize = 2;

/// The most keys of a batch. An adapter serves so many without making them wait behind an import.
pub(super) const MOST_KEYS: usize = 100;

/// What was read of each key, in their order.
pub(super) type Answers<V> = Vec<Result<V, ApiError>>;

/// Those who wait, and how many batches are being read.
struct State<K, V> {
    waiting: VecDeque<Waiter<K, V>>,
    at_work: usize,
}

/// A caller with its keys.
struct Waiter<K, V> {
    keys: Vec<K>,
    answer: oneshot::Sender<Answers<V>>,
}

/// Puts the keys of several callers together.
pub(crate) struct Batcher<K, V>(Arc<Mutex<State<K, V>>>);

impl<K, V> Clone for Batcher<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for Batcher<K, V> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            waiting: VecDeque::new(),
            at_work: 0,
        })))
    }
}

impl<K, V> Batcher<K, V> {
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; `None`, and the place of its reader is free, when nobody waits.
    fn take(&self) -> Option<Vec<Waiter<K, V>>> {
        let mut state = self.lock();
        let mut batch: Vec<Waiter<K, V>> = Vec::new();
        let mut keys = 0;
        while let Some(next) = state.waiting.front() {
            keys += next.keys.len();
            if keys > MOST_KEYS && !batch.is_empty() {
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
    /// What `read` says of `keys`, at most [`MOST_KEYS`], which are read together with those of other
    /// callers. A batch is read to its end even if a caller goes away.
    pub(super) async fn load<F>(
        &self,
        keys: Vec<K>,
        read: impl Fn(Vec<K>) -> F + Send + Sync + 'static,
    ) -> Result<Answers<V>, ApiError>
    where
        F: Future<Output = Answers<V>> + Send + 'static,
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
            let reading = async move {
                while let Some(batch) = batcher.take() {
                    read_batch(batch, &read).await;
                }
            };
            tokio::spawn(reading.in_current_span());
        }
        answered.await.map_err(|_| errors::stopping())
    }
}

/// Reads the keys of all callers of a batch, and gives each its own.
async fn read_batch<K, V, F: Future<Output = Answers<V>>>(
    batch: Vec<Waiter<K, V>>,
    read: impl Fn(Vec<K>) -> F,
) {
    let mut keys = Vec::new();
    let mut waiting = Vec::with_capacity(batch.len());
    for waiter in batch {
        waiting.push((waiter.keys.len(), waiter.answer));
        keys.extend(waiter.keys);
    }
    let mut answers = read(keys).await.into_iter();
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
        let batcher: Batcher<usize, usize> = Batcher::default();
        let reads = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let read = |reads: Arc<AtomicUsize>, gate: Arc<Semaphore>| {
            move |keys: Vec<usize>| {
                let (reads, gate) = (Arc::clone(&reads), Arc::clone(&gate));
                async move {
                    reads.fetch_add(1, Ordering::Relaxed);
                    gate.acquire().await.unwrap().forget();
                    keys.into_iter().map(|key| Ok(key * 10)).collect()
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
            let answer: Vec<usize> = answer.unwrap().into_iter().map(Result::unwrap).collect();
            assert_eq!(answer, [key * 10, key * 10]);
        }
        // Six hundred keys, a hundred at most in one read.
        let read = reads.load(Ordering::Relaxed);
        assert!((6..=8).contains(&read), "{read} reads");
    }

    #[tokio::test]
    async fn a_reader_that_dies_ends_the_wait_of_its_callers_alone() {
        let batcher: Batcher<usize, usize> = Batcher::default();
        let dying = batcher.load(vec![1], |_| async { panic!("the read died") });
        assert!(dying.await.is_err());
        let good = batcher.load(vec![2], |keys| async { keys.into_iter().map(Ok).collect() });
        assert_eq!(good.await.unwrap().remove(0).unwrap(), 2);
    }
}
