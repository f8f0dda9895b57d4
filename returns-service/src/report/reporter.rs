//! The worker: archives what was received and reports what is finished, the oldest first. One
//! import's trouble never stops another; trouble is told at once, and tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::clock::SharedClock;
use echeck_service::failpoint;
use tokio_util::sync::CancellationToken;

use super::ReportError;
use crate::bucket::Bucket;
use crate::chain::Chain;
use crate::changes::Changes;
use crate::import::Spool;
use crate::incident::{Area, Cause, Desk, Subject, Trouble};
use crate::replica::{Lease, Replica};
use crate::store::{FilesFault, ImportRecord, Phase, Store, StoreError, WrittenReport};

/// Imports that are listed at once.
const PAGE: u32 = 100;

/// The least time between two looks. An import that is being decided changes all the time.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// How long to wait after a failure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPauses {
    /// After the first one; it doubles.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

/// Archives and reports.
pub(crate) struct Reporter {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) replica: Replica,
    pub(crate) bucket: Bucket,
    pub(crate) spool: Spool,
    /// The databases, the system of record first.
    pub(crate) databases: Vec<String>,
    pub(crate) clock: SharedClock,
    pub(crate) changes: Changes,
    pub(crate) desk: Desk,
    pub(crate) pauses: RetryPauses,
}

/// How far an import's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    /// Nothing more to do until the import is further.
    Waits,
    /// Nothing more to do at all.
    Done,
    /// It is reported, and not everything in its file is accounted for: a person must look,
    /// and was told so.
    Open,
    /// The same, and nobody was told yet.
    DoesNotTieOut(WrittenReport),
}

/// What is tried again, and when.
#[derive(Debug, Clone, Copy)]
struct Again {
    pause: Duration,
    at: DateTime<Utc>,
}

/// What this replica remembers between two looks.
#[derive(Default)]
struct Memory {
    /// By import.
    tries: HashMap<String, Again>,
    /// The bucket as a whole.
    bucket: Option<Again>,
    /// What was told of each import and is not over.
    told: HashMap<String, Vec<Area>>,
    /// Whether the returns database failed at the last look.
    store_failed: bool,
}

impl Reporter {
    /// Works until `shutdown`, whenever this replica has the lease for it.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        while let Some(lease) = self.replica.acquire("report", &shutdown).await {
            lease.keep(self.work_until(&lease, &shutdown)).await;
            lease.release().await;
        }
    }

    async fn work_until(&self, lease: &Lease, shutdown: &CancellationToken) {
        let mut memory = Memory::default();
        while !shutdown.is_cancelled() {
            let seen = self.changes.version();
            match self.look(&mut memory, lease, shutdown).await {
                Ok(true) => {
                    if std::mem::take(&mut memory.store_failed) {
                        self.desk
                            .clear(Subject::Store, Area::Store, self.clock.now());
                    }
                }
                Ok(false) => return,
                Err(error) => self.tell_store(&error, &mut memory),
            }
            self.changes.wait(seen, self.pauses.first, shutdown).await;
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(BETWEEN_LOOKS) => {}
            }
        }
    }

    /// Looks at every import that has something left to be done. False when another replica
    /// has the lease by now.
    async fn look(
        &self,
        memory: &mut Memory,
        lease: &Lease,
        shutdown: &CancellationToken,
    ) -> Result<bool, StoreError> {
        let mut after = None;
        loop {
            let page = self.store.unfinished_files(after.take(), PAGE).await?;
            for (_, import_id) in &page {
                if shutdown.is_cancelled() {
                    return Ok(true);
                }
                if memory
                    .bucket
                    .is_some_and(|again| again.at > self.clock.now())
                {
                    return Ok(true);
                }
                if !lease.still_held().await? {
                    return Ok(false);
                }
                self.look_at(import_id, memory).await?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.clone()),
                Some(_) | None => return Ok(true),
            }
        }
    }

    async fn look_at(&self, import_id: &str, memory: &mut Memory) -> Result<(), StoreError> {
        let waits = memory.tries.get(import_id);
        if waits.is_some_and(|again| again.at > self.clock.now()) {
            return Ok(());
        }
        let Some(import) = self.store.import(import_id).await? else {
            return Ok(());
        };
        match self.go_on(&import).await {
            Ok(Came::Open) => {}
            Ok(Came::Waits | Came::Done) => self.tell_success(&import, memory).await?,
            Ok(Came::DoesNotTieOut(report)) => {
                self.tell_success(&import, memory).await?;
                self.tell_difference(&import, &report, memory).await?;
            }
            Err(ReportError::Store(error)) => return Err(error),
            Err(error) => self.tell_failure(&import, &error, memory).await?,
        }
        Ok(())
    }

    /// Does whatever is left to be done for an import just now.
    async fn go_on(&self, import: &ImportRecord) -> Result<Came, ReportError> {
        let files = self.store.files_of(&import.import_id).await?;
        if files.done {
            return Ok(Came::Done);
        }
        let archive = match files.archive {
            Some(archive) => archive,
            None => self.archive(import).await?,
        };
        match &import.phase {
            Phase::Checking | Phase::Deciding { .. } | Phase::Decided { .. } => Ok(Came::Waits),
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
                    return Ok(Came::DoesNotTieOut(report));
                }
                Ok(Came::Open)
            }
        }
    }

    /// Everything is in the bucket and recorded: the file in the spool is not needed any more.
    async fn finish(&self, import: &ImportRecord) -> Result<Came, ReportError> {
        trip("archive::before_spool_delete").await?;
        self.spool.forget(&import.new.spool_name)?;
        trip("archive::after_spool_delete").await?;
        self.store.finish_files(&import.import_id).await?;
        self.changes.bump();
        Ok(Came::Done)
    }

    async fn tell_difference(
        &self,
        import: &ImportRecord,
        report: &WrittenReport,
        memory: &mut Memory,
    ) -> Result<(), StoreError> {
        let what = serde_json::from_str::<super::Summary>(&report.totals).map_or_else(
            |error| error.to_string(),
            |summary| summary.tie_out.differences.join("; "),
        );
        let cause = Cause::DoesNotTieOut {
            what: format!("{what} (report {:?})", report.key),
        };
        self.tell(import, cause, None, memory).await
    }

    /// Tells a failure at once, and keeps it for every replica to show.
    async fn tell_failure(
        &self,
        import: &ImportRecord,
        error: &ReportError,
        memory: &mut Memory,
    ) -> Result<(), StoreError> {
        let Some(cause) = error.cause() else {
            // Something is on its way; a look a little later finds it there.
            let at = self.clock.now() + delta(self.pauses.first);
            let pause = self.pauses.first;
            memory
                .tries
                .insert(import.import_id.clone(), Again { pause, at });
            return Ok(());
        };
        let whole = matches!(error, ReportError::Bucket(error) if error.is_of_the_whole_bucket());
        let before = if whole {
            memory.bucket
        } else {
            memory.tries.get(&import.import_id).copied()
        };
        let pause = before.map_or(self.pauses.first, |again| {
            (again.pause * 2).min(self.pauses.longest)
        });
        let at = self.clock.now() + delta(pause);
        let again = Again { pause, at };
        if whole {
            memory.bucket = Some(again);
        } else {
            memory.tries.insert(import.import_id.clone(), again);
        }
        tracing::error!(
            import_id = import.import_id,
            error = %Chain(error),
            next_try_at = %at,
            "an import's files are not where they belong yet"
        );
        self.tell(import, cause, Some(at), memory).await
    }

    async fn tell(
        &self,
        import: &ImportRecord,
        cause: Cause,
        next_try_at: Option<DateTime<Utc>>,
        memory: &mut Memory,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let area = cause.area();
        let told = memory.told.entry(import.import_id.clone()).or_default();
        if !told.contains(&area) {
            told.push(area);
        }
        let fault = FilesFault {
            what: cause.headline(),
            area: area.as_str().to_owned(),
            since: now,
        };
        self.desk.report(Trouble {
            source: Some(import.new.source.clone()),
            import_id: Some(import.import_id.clone()),
            next_try_at,
            ..Trouble::new(subject(area, &import.import_id), cause, now)
        });
        self.store
            .record_files_fault(&import.import_id, &fault)
            .await?;
        self.changes.bump();
        Ok(())
    }

    /// Forgets the failures of an import that goes on, and tells when they were the last of
    /// their kind. What an earlier process told is in the store, so it is not forgotten.
    async fn tell_success(
        &self,
        import: &ImportRecord,
        memory: &mut Memory,
    ) -> Result<(), StoreError> {
        memory.tries.remove(&import.import_id);
        let mut areas = memory.told.remove(&import.import_id).unwrap_or_default();
        let files = self.store.files_of(&import.import_id).await?;
        if let Some(fault) = files.fault {
            self.store.clear_files_fault(&import.import_id).await?;
            self.changes.bump();
            let kept = Area::ALL.into_iter().find(|one| one.as_str() == fault.area);
            areas.extend(kept.filter(|one| !areas.contains(one)));
        }
        for area in areas {
            if area == Area::Bucket {
                memory.bucket = None;
            }
            let elsewhere = memory.told.values().any(|told| told.contains(&area))
                || self.store.files_with_fault(area.as_str()).await? > 0;
            if area == Area::Import || !elsewhere {
                let subject = subject(area, &import.import_id);
                self.desk.clear(subject, area, self.clock.now());
            }
        }
        Ok(())
    }

    fn tell_store(&self, error: &StoreError, memory: &mut Memory) {
        let why = Chain(error).to_string();
        tracing::error!(error = why, "nothing can be archived or reported");
        let now = self.clock.now();
        self.desk.report(Trouble {
            next_try_at: Some(now + delta(self.pauses.first)),
            ..Trouble::new(Subject::Store, Cause::StoreUnreachable { why }, now)
        });
        memory.store_failed = true;
    }
}

/// What trouble of an area is about.
fn subject(area: Area, import_id: &str) -> Subject {
    match area {
        Area::Bucket => Subject::Bucket,
        Area::Disk | Area::Clock => Subject::Machine,
        Area::Store => Subject::Store,
        Area::Import
        | Area::Reach
        | Area::Presence
        | Area::Content
        | Area::Target
        | Area::Alerting => Subject::Import(import_id.to_owned()),
    }
}

fn delta(pause: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(pause).unwrap_or(chrono::TimeDelta::MAX)
}

/// A point at which the crash campaign makes this fail.
pub(super) async fn trip(point: &'static str) -> Result<(), StoreError> {
    Ok(failpoint::hit(point).await?)
}
