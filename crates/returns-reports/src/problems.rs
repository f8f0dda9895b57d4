//! Reports a problem at once, records it for every replica to show, and reports the recovery.

use std::time::Duration;

use chrono::{DateTime, Utc};
use echeck_service::ErrorChain;
use returns_model::import::ImportRecord;
use returns_model::incident::{Area, Cause, Problem, Subject};
use returns_model::report::{FilesFault, WrittenReport};
use returns_store::StoreError;

use super::ReportError;
use super::reporter::{Again, Reporter, ReporterMemory};
use super::write::ReportSummary;

impl Reporter {
    pub(super) async fn report_difference(
        &self,
        import: &ImportRecord,
        report: &WrittenReport,
        memory: &mut ReporterMemory,
    ) -> Result<(), StoreError> {
        let what = serde_json::from_str::<ReportSummary>(&report.totals).map_or_else(
            |error| error.to_string(),
            |summary| summary.tie_out.differences.join("; "),
        );
        let cause = Cause::DoesNotTieOut {
            what: format!("{what} (report {:?})", report.key),
        };
        self.report_problem(import, cause, None, memory).await
    }

    /// Reports a failure at once, and records it for every replica to show.
    pub(super) async fn report_failure(
        &self,
        import: &ImportRecord,
        error: &ReportError,
        memory: &mut ReporterMemory,
    ) -> Result<(), StoreError> {
        let Some(cause) = error.cause() else {
            // Something is on its way; the next pass finds it there.
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
            error = %ErrorChain(error),
            next_try_at = %at,
            "an import's files are not where they belong yet"
        );
        self.report_problem(import, cause, Some(at), memory).await
    }

    pub(super) async fn report_problem(
        &self,
        import: &ImportRecord,
        cause: Cause,
        next_try_at: Option<DateTime<Utc>>,
        memory: &mut ReporterMemory,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let area = cause.area();
        let reported = memory.reported.entry(import.import_id.clone()).or_default();
        if !reported.contains(&area) {
            reported.push(area);
        }
        let fault = FilesFault {
            what: cause.headline(),
            area: area.as_str().to_owned(),
            since: now,
        };
        self.incidents.report(Problem {
            source: Some(import.new.source.clone()),
            import_id: Some(import.import_id.clone()),
            next_try_at,
            ..Problem::new(subject(area, &import.import_id), cause, now)
        });
        self.store
            .record_files_fault(&import.import_id, &fault)
            .await?;
        self.notifier.report_written();
        Ok(())
    }

    /// Forgets the failures of an import that continues, and clears their incidents when they were
    /// the last of their kind. What an earlier process reported is in the store.
    pub(super) async fn report_success(
        &self,
        import: &ImportRecord,
        memory: &mut ReporterMemory,
    ) -> Result<(), StoreError> {
        memory.tries.remove(&import.import_id);
        let mut areas = memory
            .reported
            .remove(&import.import_id)
            .unwrap_or_default();
        let files = self.store.files_of(&import.import_id).await?;
        if let Some(fault) = files.fault {
            self.store.clear_files_fault(&import.import_id).await?;
            self.notifier.report_written();
            let recorded: Option<Area> = fault.area.parse().ok();
            areas.extend(recorded.filter(|one| !areas.contains(one)));
        }
        for area in areas {
            if area == Area::Bucket {
                memory.bucket = None;
            }
            let elsewhere = memory
                .reported
                .values()
                .any(|reported| reported.contains(&area))
                || self.store.files_with_fault(area.as_str()).await? > 0;
            if area == Area::Import || !elsewhere {
                let subject = subject(area, &import.import_id);
                self.incidents.clear(subject, area, self.clock.now());
            }
        }
        Ok(())
    }

    /// Reports that a statement failed by its own fault. That the returns database is at fault is
    /// reported by its watch, once for all.
    pub(super) fn report_store(&self, error: &StoreError, memory: &mut ReporterMemory) {
        let why = error.why();
        tracing::error!(error = why, "nothing can be archived or reported");
        if error.is_outage() {
            return;
        }
        let now = self.clock.now();
        self.incidents.report(Problem {
            next_try_at: Some(now + delta(self.pauses.first)),
            ..Problem::new(Subject::Store, Cause::StoreUnreachable { why }, now)
        });
        memory.store_failed = true;
    }
}

/// What a problem of an area is about.
fn subject(area: Area, import_id: &str) -> Subject {
    match area {
        // The disk of a bucket that is a folder, or of the scratch file. It is not the disk of the
        // spool, which a received file shows to have recovered.
        Area::Bucket | Area::Disk => Subject::Bucket,
        Area::Clock => Subject::Machine,
        Area::Store => Subject::Store,
        _ => Subject::Import(import_id.to_owned()),
    }
}

fn delta(pause: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(pause).unwrap_or(chrono::TimeDelta::MAX)
}
