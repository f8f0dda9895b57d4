//! One import, step by step, as far as it goes. Whatever stops it is kept as the import's fault
//! and tried again; the file and what was done of it stay. After an error the import is read
//! again before anything else, because an append whose answer was lost may have happened.

use std::time::Duration;

use echeck_service::{ErrorChain, failpoint};
use returns_model::import::{ImportRecord, Phase, Totals};
use returns_store::{Append, AppendCause, Appended, StoreError};
use tokio_util::sync::CancellationToken;

use super::ahead::{Ahead, AheadError, Found, LookedUpBatch};
use super::batches::parse;
use super::check::{CheckError, FileVerdict, check};
use super::decide::{DecideError, PendingDecisions, decide_found, look_up};
use super::gather::{cases, gather, rejected};
use super::guess::{guess, known_formats};
use super::stages::ImportTimes;
use super::worker::{ImportError, Importer};
use crate::source::Source;

/// What a step of an import came to.
enum Step {
    /// There may be more to do.
    Again,
    /// Nothing more to do here.
    Over,
}

impl Importer {
    /// Brings one import as far as it goes, trying again after a pause whatever fails.
    ///
    /// `stop` is the shutdown, or that another replica has claimed the import.
    pub(super) async fn drive(&self, import_id: &str, stop: &CancellationToken) {
        let mut pause = Duration::from_millis(200);
        while !stop.is_cancelled() {
            match self.step(import_id, stop).await {
                Ok(Step::Again) => {
                    pause = Duration::from_millis(200);
                    self.report_well(import_id);
                }
                Ok(Step::Over) => return,
                Err(error) => {
                    let fault = ErrorChain(&error).to_string();
                    tracing::error!(
                        import_id,
                        error = fault,
                        "the import cannot go on; it is tried again"
                    );
                    // At a shutdown of everything the adapter may have gone first.
                    if !stop.is_cancelled() {
                        self.report(import_id, &error, pause).await;
                    }
                    self.faults.set(import_id, Some(fault));
                    self.changes.bump();
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    async fn step(&self, import_id: &str, stop: &CancellationToken) -> Result<Step, ImportError> {
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
            Phase::Checking => tokio::select! {
                // Nothing is changed before the verdict, so there is nothing to finish.
                () = stop.cancelled() => Ok(Step::Over),
                checked = self.check(&import, source) => checked.map(|()| Step::Again),
            },
            Phase::Deciding { checked } => self.decide(&import, source, checked.items, stop).await,
            Phase::Rejected { .. } | Phase::Decided { .. } | Phase::Applied { .. } => {
                Ok(Step::Over)
            }
        }
    }

    async fn check(&self, import: &ImportRecord, source: &Source) -> Result<(), ImportError> {
        trip("import::before_check").await?;
        let verdict = check(
            &self.spool,
            &import.new.spool_name,
            source,
            import.new.received_at.date_naive(),
            self.batch_size,
            &self.system_of_record,
        )
        .await?;
        trip("import::before_verdict").await?;
        let at = self.clock.now();
        // Whoever else checked this file came to the same verdict, so a lost race is no loss.
        match verdict {
            FileVerdict::Accepted(checked) => {
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
            FileVerdict::Rejected(mut why) => {
                let (spool_name, day) =
                    (&import.new.spool_name, import.new.received_at.date_naive());
                let others = known_formats(self.sources.values());
                why.looks_like = guess(&self.spool, spool_name, source, others, day).await;
                self.store
                    .reject_import(&import.import_id, &why, at)
                    .await?;
                tracing::warn!(import_id = import.import_id, source = source.name, file_name = import.new.file_name, why = %why, "file rejected");
            }
        }
        trip("import::after_verdict").await?;
        self.changes.bump();
        Ok(())
    }

    async fn decide(
        &self,
        import: &ImportRecord,
        source: &Source,
        items: u64,
        stop: &CancellationToken,
    ) -> Result<Step, ImportError> {
        let stages = ImportTimes::default();
        let parsed = parse(
            &self.spool,
            &import.new.spool_name,
            source,
            import.new.received_at.date_naive(),
            import.done,
            self.batch_size,
        );
        let (leading, from) = (self.system_of_record.clone(), source.clone());
        let mut ahead = Ahead::start(parsed, leading, from, stages.clone());
        let mut progress = (import.done, import.totals);
        while let Some(message) = stages.wait.time(ahead.next()).await {
            if stop.is_cancelled() {
                return Ok(Step::Over);
            }
            match message? {
                Found::Batch(batch) => {
                    match self
                        .append_batch(import, source, items, progress, batch, &stages)
                        .await?
                    {
                        Some(next) => progress = next,
                        None => return Ok(Step::Over),
                    }
                    self.faults.set(&import.import_id, None);
                    self.report_well(&import.import_id);
                    self.changes.bump();
                }
                Found::End if progress.0 == items => {
                    tracing::info!(
                        import_id = import.import_id,
                        items,
                        parse_ms = stages.parse.ms(),
                        look_up_ms = stages.look_up.ms(),
                        wait_ms = stages.wait.ms(),
                        decide_ms = stages.decide.ms(),
                        append_ms = stages.append.ms(),
                        "every entry is decided"
                    );
                    return Ok(Step::Again);
                }
                Found::End => {
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
        LookedUpBatch {
            items: batch,
            mut lookup,
        }: LookedUpBatch,
        stages: &ImportTimes,
    ) -> Result<Option<(u64, Totals)>, ImportError> {
        let done_after = done + batch.len() as u64;
        if done_after > items {
            return Err(ImportError::ReadsDifferently {
                items,
                seen: done_after,
            });
        }
        let cases = cases(&batch, source, &import.import_id, done);
        loop {
            trip("import::before_decide").await?;
            let now = self.clock.now();
            let mut pending = PendingDecisions::default();
            let leading = &self.system_of_record.database;
            let deciding = decide_found(&*self.store, leading, &cases, &lookup, &mut pending, now);
            let decided = stages.decide.time(deciding).await?;
            trip("import::before_append").await?;
            let mut totals = totals;
            let seen_position = decided.seen_position;
            let mut writes = gather(&cases, decided, &mut totals, &self.holds, now);
            writes.rejected = rejected(&batch, done, &mut totals);
            let cause = AppendCause::Import {
                import_id: import.import_id.clone(),
                done_before: done,
                done_after,
                totals,
                last: done_after == items,
            };
            let append = Append {
                cause,
                seen_position,
                writes,
                at: now,
            };
            match stages.append.time(self.store.append(append)).await? {
                Appended::Done(_) => {
                    trip("import::after_append").await?;
                    return Ok(Some((done_after, totals)));
                }
                Appended::Stale => {
                    lookup = look_up(&self.system_of_record, &cases)
                        .await
                        .map_err(DecideError::from)?;
                }
                Appended::Lost => return Ok(None),
            }
        }
    }
}

impl From<AheadError> for ImportError {
    fn from(error: AheadError) -> Self {
        match error {
            AheadError::Read(error) => error.into(),
            AheadError::LookUp(error) => error.into(),
        }
    }
}

/// A point at which the crash campaign makes an import fail.
async fn trip(point: &'static str) -> Result<(), StoreError> {
    Ok(failpoint::hit(point).await?)
}
