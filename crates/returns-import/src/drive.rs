//! One import, step by step, as far as it goes. An error that stops it is recorded as the import's
//! fault, and the step is tried again; the file and what was done of it stay. After an error the import is read
//! again before anything else, because an append whose answer was lost may have happened.

use std::time::Duration;

use echeck_service::ErrorChain;
use echeck_service::telemetry::continue_trace;
use echeck_service::turns;
use returns_model::import::{ImportRecord, Phase, Totals};
use returns_store::metrics::{APPEND_DURATION, IMPORTS};
use returns_store::{Append, AppendCause, Appended, Backoff, Store, failpoint, sleep};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, info_span};

use super::batches::{Ahead, LookedUpBatch, NextBatch, SpooledFile, parse};
use super::check::{CheckError, FileVerdict, check};
use super::counts::DecisionCounts;
use super::decide::{DecideError, PendingDecisions, look_up};
use super::gather::{entries, gather, rejected};
use super::guess::{guess, known_formats};
use super::import_times::ImportTimes;
use super::worker::{ImportError, Importer};
use crate::source::Source;

/// The longest pause before an import is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a step of an import leaves to do.
enum DriveStep {
    /// There may be more to do.
    Again,
    /// Nothing more to do here.
    Done,
}

impl Importer {
    /// Brings one import as far as it goes. A step that fails is tried again after a pause.
    ///
    /// `stop` is the shutdown, or that another replica has claimed the import.
    pub(super) async fn drive(&self, import_id: &str, stop: &CancellationToken) {
        let mut backoff = Backoff::new(LONGEST_PAUSE);
        let mut begun = false;
        // Whether the database that decides was reported as the reason.
        let mut blocked = false;
        while !stop.is_cancelled() {
            match self.counted_step(import_id, &mut begun, stop).await {
                Ok(DriveStep::Again) => {
                    backoff.reset();
                    self.report_recovered(import_id);
                    if std::mem::take(&mut blocked) {
                        self.report_database_available().await;
                    }
                }
                Ok(DriveStep::Done) => return,
                Err(error) => {
                    let fault = ErrorChain(&error).to_string();
                    tracing::error!(
                        import_id,
                        error = fault,
                        "the import is stalled; it is tried again"
                    );
                    let pause = backoff.pause();
                    // At a shutdown of everything the adapter may have gone first.
                    if !stop.is_cancelled() {
                        blocked |= self.report(import_id, &error, pause).await;
                    }
                    self.faults.set(import_id, Some(fault));
                    self.notifier.import_changed();
                    sleep(pause, stop).await;
                }
            }
        }
    }

    /// A step that is counted while it lasts: one that ends the process stays counted. `begun` is
    /// whether an earlier step still is, because the end of it could not be recorded.
    async fn counted_step(
        &self,
        import_id: &str,
        begun: &mut bool,
        stop: &CancellationToken,
    ) -> Result<DriveStep, ImportError> {
        if !*begun && !self.store().begin_work(import_id).await? {
            return Ok(DriveStep::Done);
        }
        *begun = true;
        let step = self.step(import_id, stop).await;
        match self.store().end_work(import_id).await {
            Ok(()) => *begun = false,
            Err(error) => {
                tracing::warn!(import_id, error = %ErrorChain(&error), "a step stays counted");
            }
        }
        step
    }

    async fn step(
        &self,
        import_id: &str,
        stop: &CancellationToken,
    ) -> Result<DriveStep, ImportError> {
        let import = self
            .store()
            .import(import_id)
            .await?
            .ok_or_else(|| ImportError::Gone {
                import_id: import_id.to_owned(),
            })?;
        let source = self
            .decider
            .sources
            .get(&import.new.source)
            .ok_or_else(|| ImportError::NoSource {
                source_name: import.new.source.clone(),
            })?;
        let traced = |span: Span| {
            continue_trace(&span, import.new.trace.as_deref());
            span
        };
        match &import.phase {
            Phase::Checking => {
                let span = traced(info_span!("check", import_id, source = source.name));
                tokio::select! {
                    // Nothing is changed before the verdict, so there is nothing to finish.
                    () = stop.cancelled() => Ok(DriveStep::Done),
                    checked = self.check(&import, source).instrument(span) => {
                        checked.map(|()| DriveStep::Again)
                    }
                }
            }
            Phase::Deciding { checked } => {
                let span = traced(info_span!("decide", import_id, source = source.name));
                self.decide(&import, source, checked.items, stop)
                    .instrument(span)
                    .await
            }
            Phase::Rejected { .. } | Phase::Decided { .. } | Phase::Applied { .. } => {
                Ok(DriveStep::Done)
            }
        }
    }

    fn store(&self) -> &dyn Store {
        &*self.decider.store
    }

    fn spooled<'a>(&'a self, import: &'a ImportRecord, source: &'a Source) -> SpooledFile<'a> {
        SpooledFile::of(&import.new, &self.spool, source, self.batch_size)
    }

    async fn check(&self, import: &ImportRecord, source: &Source) -> Result<(), ImportError> {
        failpoint("import::before_check").await?;
        let file = self.spooled(import, source);
        let verdict = check(&file, &self.decider).await?;
        failpoint("import::before_verdict").await?;
        let at = self.clock.now();
        let (import_id, file_name) = (&import.import_id, &import.new.file_name);
        // Another replica that checked this file came to the same verdict, so a lost race is no loss.
        match verdict {
            FileVerdict::Accepted(checked) => {
                self.store().accept_import(import_id, &checked, at).await?;
                IMPORTS.add(1, &[&source.name, "accepted"]);
                let items = checked.items;
                tracing::info!(
                    import_id,
                    source = source.name,
                    file_name,
                    items,
                    "file accepted"
                );
            }
            FileVerdict::Rejected(mut why) => {
                let others = known_formats(self.decider.sources.values());
                why.looks_like = guess(&file, others).await;
                self.store().reject_import(import_id, &why, at).await?;
                IMPORTS.add(1, &[&source.name, "rejected"]);
                tracing::warn!(import_id, source = source.name, file_name, %why, "file rejected");
            }
        }
        failpoint("import::after_verdict").await?;
        self.notifier.import_changed();
        Ok(())
    }

    async fn decide(
        &self,
        import: &ImportRecord,
        source: &Source,
        items: u64,
        stop: &CancellationToken,
    ) -> Result<DriveStep, ImportError> {
        let times = ImportTimes::default();
        let parsed = parse(&self.spooled(import, source), import.done);
        let (gateway, from) = (self.decider.gateway.clone(), source.clone());
        let mut ahead = Ahead::start(parsed, gateway, from, times.clone());
        let mut deciding = Deciding {
            import,
            source,
            items,
            done: import.done,
            totals: import.totals,
            times,
        };
        while let Some(message) = deciding.times.wait.time(ahead.next()).await {
            if stop.is_cancelled() {
                return Ok(DriveStep::Done);
            }
            match message? {
                NextBatch::Batch(batch) => {
                    if !self.append_batch(&mut deciding, batch).await? {
                        return Ok(DriveStep::Done);
                    }
                    self.faults.set(&import.import_id, None);
                    self.report_recovered(&import.import_id);
                }
                NextBatch::End if deciding.done == items => {
                    IMPORTS.add(1, &[&source.name, "decided"]);
                    deciding.log();
                    return Ok(DriveStep::Again);
                }
                NextBatch::End => return Err(deciding.reads_differently(deciding.done)),
            }
        }
        Err(CheckError::ParserGone.into())
    }

    /// Decides and appends one batch; false when somebody else has appended it.
    async fn append_batch(
        &self,
        deciding: &mut Deciding<'_>,
        batch: LookedUpBatch,
    ) -> Result<bool, ImportError> {
        let LookedUpBatch { items, mut lookup } = batch;
        let (done, totals_before) = (deciding.done, deciding.totals);
        let done_after = done + items.len() as u64;
        if done_after > deciding.items {
            return Err(deciding.reads_differently(done_after));
        }
        let import_id = &deciding.import.import_id;
        let entries = entries(&items, deciding.source, import_id, done);
        loop {
            failpoint("import::before_decide").await?;
            let turn = turns::take().await;
            let now = self.clock.now();
            let mut pending = PendingDecisions::default();
            let found = self
                .decider
                .decide_found(&entries, &lookup, &mut pending, now);
            let decided = deciding.times.decide.time(found).await?;
            failpoint("import::before_append").await?;
            let mut totals = totals_before;
            let seen_position = decided.seen_position;
            let retry = &self.decider.retry;
            let counts = DecisionCounts::of(&entries, &decided);
            let mut writes = gather(&entries, decided, &mut totals, retry, now);
            writes.rejected = rejected(&items, done, &mut totals);
            let append = Append {
                cause: AppendCause::Import {
                    import_id: import_id.clone(),
                    done_before: done,
                    done_after,
                    totals,
                    last: done_after == deciding.items,
                },
                seen_position,
                writes,
                at: now,
            };
            let appending = self.store().append(append);
            let began = Instant::now();
            let appended = deciding.times.append.time(appending).await?;
            APPEND_DURATION.record(began.elapsed(), &[appended.word()]);
            turn.end();
            match appended {
                Appended::Done(_) => {
                    counts.add();
                    failpoint("import::after_append").await?;
                    (deciding.done, deciding.totals) = (done_after, totals);
                    self.notifier.import_changed();
                    self.notifier.journal_appended();
                    self.notifier.hold_changed();
                    return Ok(true);
                }
                Appended::Stale => {
                    lookup = look_up(&self.decider.gateway, &entries)
                        .await
                        .map_err(DecideError::from)?;
                }
                Appended::Lost => return Ok(false),
            }
        }
    }
}

/// An import whose entries are being decided, and how far it is.
struct Deciding<'a> {
    import: &'a ImportRecord,
    source: &'a Source,
    /// How many items the file had when it was checked.
    items: u64,
    done: u64,
    totals: Totals,
    times: ImportTimes,
}

impl Deciding<'_> {
    fn reads_differently(&self, seen: u64) -> ImportError {
        ImportError::ReadsDifferently {
            items: self.items,
            seen,
        }
    }

    fn log(&self) {
        tracing::info!(
            import_id = self.import.import_id,
            items = self.items,
            parse_ms = self.times.parse.ms(),
            look_up_ms = self.times.look_up.ms(),
            wait_ms = self.times.wait.ms(),
            decide_ms = self.times.decide.ms(),
            append_ms = self.times.append.ms(),
            "every entry is decided"
        );
    }
}
