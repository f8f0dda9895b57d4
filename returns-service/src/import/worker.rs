//! The worker: takes every import that is not finished, one task each, and brings it as far
//! as it can. Whatever stops it is kept as the import's fault and tried again; the file and
//! what was done of it stay.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ach::entry::Entry;
use ach::format::Item;
use echeck_service::clock::SharedClock;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::batches::{BatchError, Parsed, parse};
use super::check::{CheckError, Verdict, check};
use super::spool::Spool;
use crate::adapter::Adapter;
use crate::chain::Chain;
use crate::changes::Changes;
use crate::decide::{Case, DecideError, Outcome, Overlay, decide_batch};
use crate::hold::next_attempt;
use crate::ids;
use crate::source::Source;
use crate::store::{
    Append, Appended, Cause, DuplicateLine, ImportRecord, NewHold, Phase, RejectedLine, Store,
    StoreError, Totals, Writes,
};

/// What stops an import for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Read(#[from] BatchError),
    #[error("the import {import_id} is gone from the returns database")]
    Gone { import_id: String },
    #[error(
        "source {source_name:?} of this import is not configured any more; add [sources.{source_name}] again"
    )]
    NoSource { source_name: String },
    #[error(
        "the file reads differently than when it was checked ({items} items then, {seen} now); \
         was the source's profile changed meanwhile?"
    )]
    ReadsDifferently { items: u64, seen: u64 },
}

/// What every import needs.
pub(crate) struct Importer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) spool: Spool,
    pub(crate) system_of_record: Adapter,
    pub(crate) sources: HashMap<String, Source>,
    pub(crate) clock: SharedClock,
    pub(crate) changes: Changes,
    pub(crate) batch_size: usize,
    pub(crate) holds: crate::hold::RetryPolicy,
    pub(crate) concurrent: usize,
    /// Why an import does not go on, by import.
    pub(crate) faults: Mutex<HashMap<String, String>>,
}

/// What a step of an import came to.
enum Step {
    /// There may be more to do.
    Again,
    /// Nothing more to do here.
    Over,
}

impl Importer {
    /// Why an import does not go on just now.
    pub(crate) fn fault(&self, import_id: &str) -> Option<String> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(import_id)
            .cloned()
    }

    fn set_fault(&self, import_id: &str, fault: Option<String>) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(fault) => faults.insert(import_id.to_owned(), fault),
            None => faults.remove(import_id),
        };
    }

    /// Works until `shutdown`; looks for open imports whenever something changes.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let tasks = TaskTracker::new();
        let places = Arc::new(Semaphore::new(self.concurrent));
        let running: Arc<Mutex<HashSet<String>>> = Arc::default();
        while !shutdown.is_cancelled() {
            let seen = self.changes.version();
            match self.store.open_imports().await {
                Ok(open) => {
                    for import_id in open {
                        self.start(import_id, &tasks, &places, &running, &shutdown);
                    }
                }
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "open imports cannot be listed");
                }
            }
            self.changes
                .wait(seen, Duration::from_secs(2), &shutdown)
                .await;
        }
        tasks.close();
        tasks.wait().await;
    }

    fn start(
        self: &Arc<Self>,
        import_id: String,
        tasks: &TaskTracker,
        places: &Arc<Semaphore>,
        running: &Arc<Mutex<HashSet<String>>>,
        shutdown: &CancellationToken,
    ) {
        if !running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(import_id.clone())
        {
            return;
        }
        let (importer, places, running) = (self.clone(), places.clone(), running.clone());
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            // The semaphore is never closed, so this cannot fail.
            let _place = places.acquire().await;
            importer.drive(&import_id, &shutdown).await;
            running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&import_id);
        });
    }

    /// Brings one import as far as it goes, trying again after a pause whatever fails.
    async fn drive(&self, import_id: &str, shutdown: &CancellationToken) {
        let mut pause = Duration::from_millis(200);
        while !shutdown.is_cancelled() {
            match self.step(import_id, shutdown).await {
                Ok(Step::Again) => pause = Duration::from_millis(200),
                Ok(Step::Over) => {
                    self.set_fault(import_id, None);
                    self.changes.bump();
                    return;
                }
                Err(error) => {
                    let fault = Chain(&error).to_string();
                    tracing::error!(
                        import_id,
                        error = fault,
                        "the import cannot go on; it is tried again"
                    );
                    self.set_fault(import_id, Some(fault));
                    self.changes.bump();
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    async fn step(
        &self,
        import_id: &str,
        shutdown: &CancellationToken,
    ) -> Result<Step, ImportError> {
        let import = self
            .store
            .import(import_id)
            .await?
            .ok_or_else(|| ImportError::Gone {
                import_id: import_id.to_owned(),
            })?;
        let source = self
            .sources
            .get(&import.new.source)
            .ok_or_else(|| ImportError::NoSource {
                source_name: import.new.source.clone(),
            })?;
        match &import.phase {
            Phase::Checking => self.check(&import, source).await.map(|()| Step::Again),
            Phase::Deciding { checked } => {
                self.decide(&import, source, checked.items, shutdown).await
            }
            Phase::Rejected { .. } | Phase::Decided { .. } | Phase::Applied { .. } => {
                Ok(Step::Over)
            }
        }
    }

    async fn check(&self, import: &ImportRecord, source: &Source) -> Result<(), ImportError> {
        let verdict = check(
            &self.spool,
            &import.new.spool_name,
            source,
            import.new.received_at.date_naive(),
            self.batch_size,
            &self.system_of_record,
        )
        .await?;
        let at = self.clock.now();
        // Whoever else checked this file came to the same verdict, so a lost race is no loss.
        match verdict {
            Verdict::Accepted(checked) => {
                self.store
                    .accept_import(&import.import_id, &checked, at)
                    .await?;
                tracing::info!(
                    import_id = import.import_id,
                    source = source.name,
                    file_name = import.new.file_name,
                    items = checked.items,
                    "file accepted"
                );
            }
            Verdict::Rejected(why) => {
                self.store
                    .reject_import(&import.import_id, &why, at)
                    .await?;
                tracing::warn!(import_id = import.import_id, source = source.name, file_name = import.new.file_name, why = %why, "file rejected");
            }
        }
        self.changes.bump();
        Ok(())
    }

    async fn decide(
        &self,
        import: &ImportRecord,
        source: &Source,
        items: u64,
        shutdown: &CancellationToken,
    ) -> Result<Step, ImportError> {
        let mut parsed = parse(
            &self.spool,
            &import.new.spool_name,
            source,
            import.new.received_at.date_naive(),
            import.done,
            self.batch_size,
        );
        let mut progress = (import.done, import.totals);
        while let Some(message) = parsed.recv().await {
            if shutdown.is_cancelled() {
                return Ok(Step::Over);
            }
            match message? {
                Parsed::Batch(batch) => {
                    match self
                        .append_batch(import, source, items, progress, &batch)
                        .await?
                    {
                        Some(next) => progress = next,
                        None => return Ok(Step::Over),
                    }
                    self.set_fault(&import.import_id, None);
                    self.changes.bump();
                }
                Parsed::End(_) if progress.0 == items => return Ok(Step::Again),
                Parsed::End(_) => {
                    return Err(ImportError::ReadsDifferently {
                        items,
                        seen: progress.0,
                    });
                }
            }
        }
        Err(CheckError::ParserGone.into())
    }

    /// Decides and appends one batch; gives the progress after it, or `None` when somebody
    /// else has appended it.
    async fn append_batch(
        &self,
        import: &ImportRecord,
        source: &Source,
        items: u64,
        (done, totals): (u64, Totals),
        batch: &[Item],
    ) -> Result<Option<(u64, Totals)>, ImportError> {
        let done_after = done + batch.len() as u64;
        if done_after > items {
            return Err(ImportError::ReadsDifferently {
                items,
                seen: done_after,
            });
        }
        loop {
            let now = self.clock.now();
            let cases = cases(batch, source, &import.import_id, done);
            let decided = decide_batch(
                &*self.store,
                &self.system_of_record,
                &cases,
                &mut Overlay::default(),
                now,
            )
            .await?;
            let mut totals = totals;
            let seen_position = decided.seen_position;
            let mut writes = gather(&cases, decided.outcomes, &mut totals, &self.holds, now);
            writes.rejected = rejected(batch, done, &mut totals);
            let cause = Cause::Import {
                import_id: import.import_id.clone(),
                done_before: done,
                done_after,
                totals,
                last: done_after == items,
            };
            match self
                .store
                .append(Append {
                    cause,
                    seen_position,
                    writes,
                    at: now,
                })
                .await?
            {
                Appended::Done(_) => return Ok(Some((done_after, totals))),
                Appended::Stale => {}
                Appended::Lost => return Ok(None),
            }
        }
    }
}

/// The entries of a batch with their place in the file.
pub(super) fn cases<'a>(
    batch: &'a [Item],
    source: &'a Source,
    import_id: &'a str,
    first_ordinal: u64,
) -> Vec<Case<'a>> {
    batch
        .iter()
        .zip(first_ordinal..)
        .filter_map(|(item, ordinal)| match item {
            Item::Entry(entry) => Some(Case {
                import_id,
                ordinal,
                ..Case::of_entry(entry, source)
            }),
            Item::Rejected(_) => None,
        })
        .collect()
}

/// Sorts outcomes into what an append writes, and counts them.
pub(super) fn gather(
    cases: &[Case<'_>],
    outcomes: Vec<Outcome>,
    totals: &mut Totals,
    retry: &crate::hold::RetryPolicy,
    now: chrono::DateTime<chrono::Utc>,
) -> Writes {
    let mut writes = Writes::default();
    for (case, outcome) in cases.iter().zip(outcomes) {
        let amount = amount_minor(case.entry);
        totals.read.add(amount);
        match outcome {
            Outcome::Act(row) => {
                totals.of_effect(row.effect).add(amount);
                writes.rows.push(*row);
            }
            Outcome::Duplicate {
                transfer_id,
                of_return_id,
            } => {
                totals.duplicate.add(amount);
                writes.duplicates.push(DuplicateLine {
                    ordinal: case.ordinal,
                    line: case.entry.at.line,
                    transfer_id,
                    of_return_id,
                });
            }
            Outcome::Hold { hold, transfer_ids } => {
                totals.held.add(amount);
                writes.holds.push(NewHold {
                    hold_id: ids::hold_id(case.import_id, case.ordinal),
                    source: case.source.name.clone(),
                    import_id: case.import_id.to_owned(),
                    ordinal: case.ordinal,
                    reason: hold.reason,
                    detail: hold.detail,
                    entry: case.entry.clone(),
                    transfer_ids,
                    failed: None,
                    next_attempt_at: next_attempt(retry, hold.reason, 0, now),
                });
            }
        }
    }
    writes
}

/// The lines of a batch that could not be read, counted.
pub(super) fn rejected(
    batch: &[Item],
    first_ordinal: u64,
    totals: &mut Totals,
) -> Vec<RejectedLine> {
    batch
        .iter()
        .zip(first_ordinal..)
        .filter_map(|(item, ordinal)| match item {
            Item::Entry(_) => None,
            Item::Rejected(rejected) => {
                let amount = rejected.amount_minor.unwrap_or_default();
                totals.read.add(amount);
                totals.rejected.add(amount);
                Some(RejectedLine {
                    ordinal,
                    rejected: rejected.clone(),
                })
            }
        })
        .collect()
}

fn amount_minor(entry: &Entry) -> i64 {
    entry.amount.map_or(0, ach::money::Money::minor)
}
