//! Writing a report to the bucket under a free key, with its totals beside it, and
//! reading both back.

use chrono::{DateTime, Utc};
use echeck_service::telemetry::continue_trace;
use returns_model::import::{ImportRecord, Tally};
use returns_model::report::{ArchivedFile, WrittenReport};
use returns_store::failpoint;
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use uuid::Uuid;

use super::read_back::verify;
use super::render::{Rendered, Scratch, render};
use super::reporter::Reporter;
use super::totals::ReportTotals;
use super::{ReportError, keys};
use crate::bucket::{BucketError, Digest};

/// The maximum number of editions of a report. Each but the last was found to be wrong, or
/// was cut off by a crash before something new happened to its entries.
const MAX_EDITIONS: u32 = 50;

/// What stands beside a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSummary {
    pub import_id: String,
    pub source: String,
    pub file_name: String,
    pub file_sha256: String,
    pub received_at: DateTime<Utc>,
    pub finished_at: DateTime<Utc>,
    pub report: ReportObject,
    pub archive: ArchiveObject,
    pub totals: ReportTotals,
    pub tie_out: TieOut,
}

/// The report itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportObject {
    pub key: String,
    pub sha256: String,
    pub size_bytes: u64,
    pub rows: u64,
}

/// The file that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveObject {
    pub key: String,
    pub sha256: String,
    pub size_bytes: u64,
}

/// Whether everything in the file is accounted for: read = applied + duplicate + held +
/// dismissed + rejected, for the file and for each database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TieOut {
    pub ties_out: bool,
    /// A sentence for each difference.
    pub differences: Vec<String>,
    pub read: Tally,
    pub applied: Tally,
    pub duplicate: Tally,
    #[serde(default)]
    pub prenote: Tally,
    pub held: Tally,
    pub dismissed: Tally,
    pub rejected: Tally,
}

impl Reporter {
    /// Writes the report of an applied import, reads it back and records it, within its trace.
    pub(super) async fn report(
        &self,
        import: &ImportRecord,
        finished_at: DateTime<Utc>,
        archive: &ArchivedFile,
    ) -> Result<WrittenReport, ReportError> {
        let span = tracing::info_span!("report", import_id = import.import_id);
        continue_trace(&span, import.new.trace.as_deref());
        self.write_report(import, finished_at, archive)
            .instrument(span)
            .await
    }

    async fn write_report(
        &self,
        import: &ImportRecord,
        finished_at: DateTime<Utc>,
        archive: &ArchivedFile,
    ) -> Result<WrittenReport, ReportError> {
        let name = format!("report-{}-{}", import.import_id, Uuid::new_v4());
        let scratch = Scratch(self.spool.scratch(&name));
        let rendered = render(
            &*self.store,
            import,
            finished_at,
            &self.databases,
            &scratch.0,
        )
        .await?;
        let mut last = String::new();
        for edition in 1..=MAX_EDITIONS {
            let (key, totals_key) = keys::report(import, edition);
            let summary = summary(import, finished_at, archive, &key, &rendered);
            match self
                .put(&key, &totals_key, &scratch, &rendered, &summary)
                .await
            {
                Ok(totals) => {
                    let report = WrittenReport {
                        key,
                        sha256: rendered.digest.sha256,
                        size_bytes: rendered.digest.size_bytes,
                        rows: rendered.totals.read.count,
                        totals_key,
                        totals,
                        ties_out: rendered.differences.is_empty(),
                        at: self.clock.now(),
                    };
                    return self.record(import, report).await;
                }
                // An edition that is another one, or was found to be wrong, stays as it is.
                Err(ReportError::Bucket(BucketError::Taken { .. })) => last = key,
                Err(error) => return Err(error),
            }
        }
        Err(ReportError::NoFreeKey { last })
    }

    /// Puts report and totals, and reads both back; gives the totals as they were written.
    async fn put(
        &self,
        key: &str,
        totals_key: &str,
        scratch: &Scratch,
        rendered: &Rendered,
        summary: &ReportSummary,
    ) -> Result<String, ReportError> {
        let totals = serde_json::to_string_pretty(summary)
            .map_err(|error| ReportError::Unmakable(error.to_string()))?;
        failpoint("report::before_put").await?;
        self.bucket
            .put_file(key, &scratch.0, &rendered.digest)
            .await?;
        self.bucket.put_bytes(totals_key, totals.as_bytes()).await?;
        failpoint("report::after_put").await?;
        verify(&self.bucket, key, rendered, &self.databases).await?;
        self.bucket
            .verify(totals_key, &Digest::of(totals.as_bytes()))
            .await
            .map_err(|error| match error {
                BucketError::ReadsBackDifferently { key, what, .. } => {
                    ReportError::Wrong { key, what }
                }
                other => other.into(),
            })?;
        failpoint("report::after_verify").await?;
        Ok(totals)
    }

    async fn record(
        &self,
        import: &ImportRecord,
        report: WrittenReport,
    ) -> Result<WrittenReport, ReportError> {
        let recorded = self.store.record_report(&import.import_id, &report).await?;
        failpoint("report::after_record").await?;
        self.notifier.report_written();
        if recorded {
            tracing::info!(
                import_id = import.import_id,
                key = report.key,
                rows = report.rows,
                ties_out = report.ties_out,
                "report written and read back"
            );
            return Ok(report);
        }
        // Another replica was faster: its report is the one that counts.
        let files = self.store.files_of(&import.import_id).await?;
        Ok(files.report.unwrap_or(report))
    }
}

fn summary(
    import: &ImportRecord,
    finished_at: DateTime<Utc>,
    archive: &ArchivedFile,
    key: &str,
    rendered: &Rendered,
) -> ReportSummary {
    let totals = &rendered.totals;
    ReportSummary {
        import_id: import.import_id.clone(),
        source: import.new.source.clone(),
        file_name: import.new.file_name.clone(),
        file_sha256: import.new.sha256.clone(),
        received_at: import.new.received_at,
        finished_at,
        report: ReportObject {
            key: key.to_owned(),
            sha256: rendered.digest.sha256.clone(),
            size_bytes: rendered.digest.size_bytes,
            rows: totals.read.count,
        },
        archive: ArchiveObject {
            key: archive.key.clone(),
            sha256: archive.sha256.clone(),
            size_bytes: archive.size_bytes,
        },
        tie_out: TieOut {
            ties_out: rendered.differences.is_empty(),
            differences: rendered.differences.clone(),
            read: totals.read,
            applied: totals.applied(),
            duplicate: totals.duplicate,
            prenote: totals.prenote,
            held: totals.held,
            dismissed: totals.dismissed,
            rejected: totals.rejected,
        },
        totals: totals.clone(),
    }
}
