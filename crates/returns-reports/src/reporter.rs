//! The worker: archives what was received and reports what is finished, the oldest first. One
//! import's problem never stops another; a problem is reported at once, and tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use returns_alerts::IncidentReporter;
use returns_import::Spool;
use returns_model::import::{ImportRecord, Phase};
use returns_model::incident::{Area, Subject};
use returns_model::report::WrittenReport;
use returns_store::{Job, Lease, Notifier, Pass, Store, StoreError, Topic, failpoint, sleep};
use tokio_util::sync::CancellationToken;

use super::ReportError;
use super::bucket::Bucket;

/// Imports that are listed at once.
const PAGE: u32 = 100;

/// The least time between two passes: an import that is being decided changes all the time. A pass asks
/// the returns database about each import that is open, so with many of them it is longer.
const BETWEEN_PASSES: Duration = Duration::from_millis(20);
const FOR_EACH_IMPORT: Duration = Duration::from_millis(10);
const LONGEST_BETWEEN_PASSES: Duration = Duration::from_millis(200);

/// How long to wait after a failure.
#[derive(Debug, Clone, Copy)]
pub struct RetryPauses {
    /// After the first one; it doubles.
    pub first: Duration,
    pub longest: Duration,
}

/// Archives and reports.
pub struct Reporter {
    pub store: Arc<dyn Store>,
    pub bucket: Bucket,
    pub spool: Spool,
    /// The databases, the system of record first.
    pub databases: Vec<String>,
    pub clock: SharedClock,
    pub notifier: Notifier,
    pub incidents: IncidentReporter,
    pub pauses: RetryPauses,
    /// How long the bucket may be silent before people are notified.
    pub patience: Duration,
}

/// How far an import's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FilesProgress {
    /// Nothing more to do until the import is further.
    Waits,
    /// Nothing more to do at all.
    Done,
    /// It is reported, and not everything in its file is accounted for: a person must look, and
    /// was notified.
    Open,
    /// The same, and nobody was notified yet.
    DoesNotTieOut(WrittenReport),
}

/// What is tried again, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again {
    pub(super) pause: Duration,
    pub(super) at: DateTime<Utc>,
}

/// What this replica remembers between two passes.
#[derive(Default)]
pub(super) struct ReporterMemory {
    /// By import.
    pub(super) tries: HashMap<String, Again>,
    /// The bucket as a whole.
    pub(super) bucket: Option<Again>,
    /// How many imports were open at the last pass.
    pub(super) open: u32,
    /// What was reported of each import and has not recovered.
    pub(super) reported: HashMap<String, Vec<Area>>,
    /// Whether the returns database failed at the last pass.
    pub(super) store_failed: bool,
}

impl Reporter {
    /// Continues every import that has something left to be done. False when another replica
    /// has the lease by now.
    async fn pass_over(
        &self,
        memory: &mut ReporterMemory,
        lease: &Lease,
    ) -> Result<bool, StoreError> {
        let mut after = None;
        let mut unreadable = None;
        memory.open = 0;
        loop {
            let page = self.store.unfinished_files(after.take(), PAGE).await?;
            memory.open = memory
                .open
                .saturating_add(u32::try_from(page.len()).unwrap_or(PAGE));
            for (_, import_id) in &page {
                if memory
                    .bucket
                    .is_some_and(|again| again.at > self.clock.now())
                {
                    return Ok(true);
                }
                if !lease.still_held().await? {
                    return Ok(false);
                }
                match self.visit(import_id, memory).await {
                    // It keeps none of the others from the bucket.
                    Err(error @ StoreError::Unreadable { .. }) => {
                        unreadable.get_or_insert(error);
                    }
                    visited => visited?,
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.clone()),
                Some(_) | None => return unreadable.map_or(Ok(true), Err),
            }
        }
    }

    async fn visit(&self, import_id: &str, memory: &mut ReporterMemory) -> Result<(), StoreError> {
        let waits = memory.tries.get(import_id);
        if waits.is_some_and(|again| again.at > self.clock.now()) {
            return Ok(());
        }
        let Some(import) = self.store.import(import_id).await? else {
            return Ok(());
        };
        match self.advance_watched(&import, memory).await {
            Ok(FilesProgress::Open) => {}
            Ok(FilesProgress::Waits | FilesProgress::Done) => {
                self.report_success(&import, memory).await?;
            }
            Ok(FilesProgress::DoesNotTieOut(report)) => {
                self.report_success(&import, memory).await?;
                self.report_difference(&import, &report, memory).await?;
            }
            Err(ReportError::Store(
                error @ (StoreError::Database { .. } | StoreError::Unusable(_)),
            )) => return Err(error),
            Err(error) => self.report_failure(&import, &error, memory).await?,
        }
        Ok(())
    }

    /// Does what can be done for an import now.
    pub(super) async fn advance(
        &self,
        import: &ImportRecord,
    ) -> Result<FilesProgress, ReportError> {
        let files = self.store.files_of(&import.import_id).await?;
        if files.done {
            return Ok(FilesProgress::Done);
        }
        let archive = match files.archive {
            Some(archive) => archive,
            None => self.archive(import).await?,
        };
        match &import.phase {
            Phase::Checking | Phase::Deciding { .. } | Phase::Decided { .. } => {
                Ok(FilesProgress::Waits)
            }
            Phase::Rejected { .. } => self.finish(import).await,
            Phase::Applied { applied_at, .. } => {
                let (report, is_new) = match files.report {
                    Some(report) => (report, false),
                    None => (self.report(import, *applied_at, &archive).await?, true),
                };
                if report.ties_out {
                    return self.finish(import).await;
                }
                if is_new || files.fault.is_none() {
                    return Ok(FilesProgress::DoesNotTieOut(report));
                }
                Ok(FilesProgress::Open)
            }
        }
    }

    /// Everything is in the bucket and recorded: the file in the spool is not needed any more.
    async fn finish(&self, import: &ImportRecord) -> Result<FilesProgress, ReportError> {
        failpoint("archive::before_spool_delete").await?;
        self.spool.forget(&import.new.spool_name)?;
        failpoint("archive::after_spool_delete").await?;
        self.store.finish_files(&import.import_id).await?;
        self.notifier.report_written();
        Ok(FilesProgress::Done)
    }
}

/// The worker that archives and reports.
pub struct ReporterJob {
    reporter: Arc<Reporter>,
    memory: ReporterMemory,
}

impl ReporterJob {
    /// The worker of `reporter`.
    pub fn new(reporter: Arc<Reporter>) -> Self {
        Self {
            reporter,
            memory: ReporterMemory::default(),
        }
    }
}

impl Job for ReporterJob {
    type Error = StoreError;

    fn lease(&self) -> String {
        "report".to_owned()
    }

    fn wakes(&self) -> &'static [Topic] {
        &[Topic::Received, Topic::Import]
    }

    async fn begin(&mut self) {
        self.memory = ReporterMemory::default();
    }

    async fn pass(&mut self, lease: &Lease, stop: &CancellationToken) -> Result<Pass, StoreError> {
        let pause = BETWEEN_PASSES + FOR_EACH_IMPORT.saturating_mul(self.memory.open);
        sleep(pause.min(LONGEST_BETWEEN_PASSES), stop).await;
        let (reporter, memory) = (&self.reporter, &mut self.memory);
        let visited = tokio::select! {
            // What is on its way is left as by a crash, which a later start makes good.
            () = stop.cancelled() => return Ok(Pass::Idle(BETWEEN_PASSES)),
            visited = reporter.pass_over(memory, lease) => visited?,
        };
        if !visited {
            return Ok(Pass::LeaseLost);
        }
        if std::mem::take(&mut memory.store_failed) {
            let now = reporter.clock.now();
            reporter.incidents.clear(Subject::Store, Area::Store, now);
        }
        Ok(Pass::Idle(reporter.pauses.first))
    }

    async fn failed(
        &mut self,
        _lease: &Lease,
        error: &StoreError,
        _pause: Duration,
        _stop: &CancellationToken,
    ) {
        self.reporter.report_store(error, &mut self.memory);
    }
}
