//! What of an import is in the bucket.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::report::{ArchivedFile, FilesFault, FilesRecord, WrittenReport};

use super::SqlStore;
use crate::columns::bound;
use crate::db::{Record, statement};
use crate::{FilesStore, StoreError};

/// What the columns of `import_files` and `files_done` say; all of them are empty where there
/// is not a row.
fn files_record(row: &Record) -> Result<FilesRecord, StoreError> {
    let archive = match row.optional_time("archived_at")? {
        Some(at) => Some(ArchivedFile {
            key: row.text("archive_key")?,
            sha256: row.text("archive_sha256")?,
            size_bytes: row.count("archive_size")?,
            at,
        }),
        None => None,
    };
    let report = match row.optional_time("reported_at")? {
        Some(at) => Some(WrittenReport {
            key: row.text("report_key")?,
            sha256: row.text("report_sha256")?,
            size_bytes: row.count("report_size")?,
            rows: row.count("report_rows")?,
            totals_key: row.text("totals_key")?,
            totals: row.text("totals")?,
            ties_out: row.flag("ties_out")?,
            at,
        }),
        None => None,
    };
    let fault = match row.optional_text("fault")? {
        Some(what) => Some(FilesFault {
            what,
            area: row.text("fault_area")?,
            since: row.time("fault_since")?,
        }),
        None => None,
    };
    Ok(FilesRecord {
        archive,
        report,
        attempts: row.optional_count("attempts")?.unwrap_or_default(),
        fault,
        done: row.flag("files_done")?,
    })
}

#[async_trait]
impl FilesStore for SqlStore {
    async fn unfinished_files(
        &self,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, String)>, StoreError> {
        let (after_time, after_id) = after.unzip();
        statement(
            "list unfinished files",
            "SELECT i.received_at, i.import_id FROM imports i WHERE NOT i.files_done \
             AND ($1 IS NULL OR (i.received_at, i.import_id) > ($1, $2)) \
             ORDER BY i.received_at, i.import_id LIMIT $3",
        )
        .bind(after_time)
        .bind(after_id)
        .bind(limit)
        .list(&self.db, |row| {
            Ok((row.time("received_at")?, row.text("import_id")?))
        })
        .await
    }

    async fn files_of(&self, import_id: &str) -> Result<FilesRecord, StoreError> {
        let found = statement(
            "read an import's files",
            "SELECT f.archive_key, f.archive_sha256, f.archive_size, f.archived_at, \
             f.report_key, f.report_sha256, f.report_size, f.report_rows, f.totals_key, \
             f.totals, f.ties_out, f.reported_at, f.attempts, f.fault, f.fault_area, \
             f.fault_since, i.files_done \
             FROM imports i LEFT JOIN import_files f ON f.import_id = i.import_id \
             WHERE i.import_id = $1",
        )
        .bind(import_id)
        .optional(&self.db, files_record)
        .await?;
        Ok(found.unwrap_or_default())
    }

    async fn record_archive(
        &self,
        import_id: &str,
        archive: &ArchivedFile,
    ) -> Result<bool, StoreError> {
        statement(
            "record an archived file",
            "INSERT INTO import_files (import_id, archive_key, archive_sha256, archive_size, \
             archived_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (import_id) DO UPDATE SET archive_key = excluded.archive_key, \
                 archive_sha256 = excluded.archive_sha256, \
                 archive_size = excluded.archive_size, archived_at = excluded.archived_at \
             WHERE import_files.archived_at IS NULL",
        )
        .bind(import_id)
        .bind(&archive.key)
        .bind(&archive.sha256)
        .bind(bound(archive.size_bytes)?)
        .bind(archive.at)
        .execute(&self.db)
        .await
        .map(|done| done == 1)
    }

    async fn record_report(
        &self,
        import_id: &str,
        report: &WrittenReport,
    ) -> Result<bool, StoreError> {
        statement(
            "record a report",
            "INSERT INTO import_files (import_id, report_key, report_sha256, report_size, \
             report_rows, totals_key, totals, ties_out, reported_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (import_id) DO UPDATE SET report_key = excluded.report_key, \
                 report_sha256 = excluded.report_sha256, report_size = excluded.report_size, \
                 report_rows = excluded.report_rows, totals_key = excluded.totals_key, \
                 totals = excluded.totals, ties_out = excluded.ties_out, \
                 reported_at = excluded.reported_at \
             WHERE import_files.reported_at IS NULL",
        )
        .bind(import_id)
        .bind(&report.key)
        .bind(&report.sha256)
        .bind(bound(report.size_bytes)?)
        .bind(bound(report.rows)?)
        .bind(&report.totals_key)
        .bind(&report.totals)
        .bind(report.ties_out)
        .bind(report.at)
        .execute(&self.db)
        .await
        .map(|done| done == 1)
    }

    async fn record_files_fault(
        &self,
        import_id: &str,
        fault: &FilesFault,
    ) -> Result<(), StoreError> {
        statement(
            "record why an import's files wait",
            "INSERT INTO import_files (import_id, attempts, fault, fault_area, fault_since) \
             VALUES ($1, 1, $2, $3, $4) \
             ON CONFLICT (import_id) DO UPDATE SET attempts = import_files.attempts + 1, \
                 fault = excluded.fault, fault_area = excluded.fault_area, \
                 fault_since = CASE WHEN import_files.fault_area = excluded.fault_area \
                     THEN import_files.fault_since ELSE excluded.fault_since END",
        )
        .bind(import_id)
        .bind(&fault.what)
        .bind(&fault.area)
        .bind(fault.since)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn clear_files_fault(&self, import_id: &str) -> Result<(), StoreError> {
        statement(
            "record that an import's files no longer wait",
            "UPDATE import_files SET fault = NULL, fault_area = NULL, fault_since = NULL \
             WHERE import_id = $1 AND fault IS NOT NULL",
        )
        .bind(import_id)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn files_with_fault(&self, area: &str) -> Result<u64, StoreError> {
        statement(
            "count imports whose files wait",
            "SELECT COUNT(*) AS faulty FROM import_files WHERE fault_area = $1",
        )
        .bind(area)
        .one(&self.db, |row| row.count("faulty"))
        .await
    }

    async fn finish_files(&self, import_id: &str) -> Result<bool, StoreError> {
        statement(
            "finish an import's files",
            "UPDATE imports SET files_done = TRUE \
             WHERE import_id = $1 AND NOT files_done AND EXISTS ( \
                 SELECT 1 FROM import_files f WHERE f.import_id = imports.import_id \
                 AND f.archived_at IS NOT NULL AND (imports.phase = 'rejected' \
                     OR imports.phase = 'applied' AND f.reported_at IS NOT NULL AND f.ties_out))",
        )
        .bind(import_id)
        .execute(&self.db)
        .await
        .map(|done| done == 1)
    }
}
