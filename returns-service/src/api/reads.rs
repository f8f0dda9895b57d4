//! Reading transfers: what the system of record has, and what the journal says of it.

use std::collections::HashMap;
use std::sync::Arc;

use ach::decision::TransferKeyKind;
use echeck_proto::adapter::v1 as adapter;
use echeck_service::batcher::Batcher;
use echeck_service::turns;
use futures_util::future::{BoxFuture, FutureExt as _, try_join_all};
use returns_import::adapter::key;
use returns_model::follower::Progress;
use returns_store::{StandingRow, TransferFacts};

use super::Api;
use super::errors::{self, ApiError};

/// The most keys of a batch. An adapter serves so many without making them wait behind an import.
const MOST_KEYS: usize = 100;

/// What was read of each key, in their order.
type Answers<V> = Vec<Result<V, ApiError>>;

/// The transfers that callers ask for now.
#[derive(Clone)]
pub(crate) struct TransferReads(Batcher<TransferKey, Result<TransfersRead, ApiError>>);

impl Default for TransferReads {
    fn default() -> Self {
        Self(Batcher::new(MOST_KEYS))
    }
}

/// Which transfer is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransferKey {
    pub(super) kind: TransferKeyKind,
    pub(super) value: String,
    /// Whether a view is shown, which only has what the system of record has passed: what it has not
    /// is not true yet, and may never be.
    pub(super) passed_only: bool,
}

/// The transfers with a key.
#[derive(Debug, Clone)]
pub(crate) struct TransfersRead {
    pub(super) transfers: Vec<TransferRead>,
    /// How far each database is.
    pub(super) progress: Arc<HashMap<String, Progress>>,
}

/// A transfer with what the journal says of it.
#[derive(Debug, Clone)]
pub(super) struct TransferRead {
    pub(super) sent: adapter::Transfer,
    /// See [`Api::standing`].
    pub(super) standing: Vec<StandingRow>,
    pub(super) open_hold_ids: Vec<String>,
}

/// How far the system of record is by its own word, and which rows had no effect there since it was
/// last recorded.
pub(super) struct Passed {
    position: u64,
    without_effect: Vec<u64>,
}

impl Api {
    /// Reads transfers together with those that other callers ask for.
    pub(super) async fn read_transfers(
        &self,
        keys: Vec<TransferKey>,
    ) -> Result<Answers<TransfersRead>, ApiError> {
        turns::asked();
        let parts = keys.chunks(MOST_KEYS).map(|part| {
            let api = self.clone();
            let read = move |keys| {
                let api = api.clone();
                async move { api.read_batch(keys).await }
            };
            self.reads.0.load(part.to_vec(), read)
        });
        let answers = try_join_all(parts).await.map_err(|_| errors::stopping())?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// Reads a batch. A key that fails it, such as one of a kind that the adapter does not map, or a
    /// transfer that is too large together with others, fails alone.
    fn read_batch(&self, keys: Vec<TransferKey>) -> BoxFuture<'_, Answers<TransfersRead>> {
        async move {
            let asked = keys.iter().map(|one| key(one.kind, &one.value)).collect();
            let error = match self.decider.gateway.lookup_raw(asked).await {
                Ok((matches, _)) => match self.with_facts(&keys, matches).await {
                    Ok(read) => return read.into_iter().map(Ok).collect(),
                    Err(error) => error,
                },
                Err(error) if keys.len() > 1 && !error.is_outage() => {
                    let (first, second) = keys.split_at(keys.len() / 2);
                    let mut answers = self.read_batch(first.to_vec()).await;
                    answers.extend(self.read_batch(second.to_vec()).await);
                    return answers;
                }
                Err(error) => error.into(),
            };
            vec![Err(error); keys.len()]
        }
        .boxed()
    }

    /// Adds what the journal says. It is read after the lookup, so that what the lookup saw is
    /// explained: a return that it lacks looks like a failure.
    async fn with_facts(
        &self,
        keys: &[TransferKey],
        matches: Vec<adapter::KeyMatches>,
    ) -> Result<Vec<TransfersRead>, ApiError> {
        let passed = match keys.iter().any(|key| key.passed_only) {
            true => Some(self.passed().await?),
            false => None,
        };
        let found = matches.iter().flat_map(|one| &one.transfers);
        let ids: Vec<String> = found.map(|one| one.id.clone()).collect();
        let facts = self.store.facts(&ids).await?;
        let progress = Arc::new(facts.progress);
        let mut read = Vec::with_capacity(keys.len());
        for (key, matches) in keys.iter().zip(matches) {
            let passed = passed.as_ref().filter(|_| key.passed_only);
            let transfers = matches.transfers.into_iter().map(|sent| {
                let of_it = facts.transfers.get(&sent.id).cloned();
                self.read_of(sent, of_it.unwrap_or_default(), passed)
            });
            read.push(TransfersRead {
                transfers: transfers.collect(),
                progress: Arc::clone(&progress),
            });
        }
        Ok(read)
    }

    fn read_of(
        &self,
        sent: adapter::Transfer,
        facts: TransferFacts,
        passed: Option<&Passed>,
    ) -> TransferRead {
        TransferRead {
            sent,
            standing: self.standing(facts.rows, passed),
            open_hold_ids: facts.open_hold_ids,
        }
    }

    /// The rows of a transfer that stand, without repeats and those that had no effect in the system
    /// of record; with `passed` only those that it has passed.
    pub(super) fn standing(
        &self,
        mut rows: Vec<StandingRow>,
        passed: Option<&Passed>,
    ) -> Vec<StandingRow> {
        let system_of_record = &self.decider.gateway.database;
        rows.retain(|one| {
            let position = one.row.position;
            let has_passed = passed.is_none_or(|passed| {
                position <= passed.position && !passed.without_effect.contains(&position)
            });
            has_passed && !one.row.row.is_repeat() && !one.exceptions.contains(system_of_record)
        });
        rows
    }

    pub(super) async fn passed(&self) -> Result<Passed, ApiError> {
        let system_of_record = &self.decider.gateway;
        let progress = self.store.progress(&system_of_record.database);
        let mut after = progress.await?.position;
        let mut without_effect = Vec::new();
        loop {
            let answer = system_of_record.progress(after).await?;
            without_effect.extend(answer.exceptions.iter().map(|exception| exception.position));
            match without_effect.last() {
                Some(last) if answer.has_more && *last > after => after = *last,
                Some(_) | None => {
                    return Ok(Passed {
                        position: answer.cursor.map_or(0, |cursor| cursor.position),
                        without_effect,
                    });
                }
            }
        }
    }
}
