//! What of an import is in the bucket, and what its report is written from.

use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::follower::RowException;
use returns_model::hold::HoldRecord;
use returns_model::import::RejectedLine;
use returns_model::journal::JournalRow;
use returns_model::report::{ArchivedFile, FilesFault, FilesRecord, WrittenReport};
use sqlx::AssertSqlSafe;

use super::SqliteStore;
use super::codec::time_text;
use super::holds::HOLDS;
use super::journal::ROWS;
use crate::columns::{Columns as _, bound, failed, json};
use crate::records::{
    duplicate_line, files_record, hold_record, journal_row, rejected_line, row_exception,
};
use crate::report::ReportStore;
use crate::{DuplicateLine, StoreError};

#[async_trait]
impl ReportStore for SqliteStore {
    async fn unfinished_files(
        &self,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, String)>, StoreError> {
        let (after_time, after_id) = after.map(|(at, id)| (time_text(at), id)).unzip();
        sqlx::query(
            "SELECT i.received_at, i.import_id FROM imports i WHERE i.files_done = 0 \
             AND (?1 IS NULL OR (i.received_at, i.import_id) > (?1, ?2)) \
             ORDER BY i.received_at, i.import_id LIMIT ?3",
        )
        .bind(after_time)
        .bind(after_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing unfinished files"))?
        .iter()
        .map(|row| Ok((row.time("received_at")?, row.text("import_id")?)))
        .collect()
    }

    async fn files_of(&self, import_id: &str) -> Result<FilesRecord, StoreError> {
        sqlx::query(
            "SELECT f.archive_key, f.archive_sha256, f.archive_size, f.archived_at, \
             f.report_key, f.report_sha256, f.report_size, f.report_rows, f.totals_key, \
             f.totals, f.ties_out, f.reported_at, f.attempts, f.fault, f.fault_area, \
             f.fault_since, i.files_done \
             FROM imports i LEFT JOIN import_files f ON f.import_id = i.import_id \
             WHERE i.import_id = ?1",
        )
        .bind(import_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed("reading an import's files"))?
        .as_ref()
        .map_or_else(|| Ok(FilesRecord::default()), files_record)
    }

    async fn record_archive(
        &self,
        import_id: &str,
        archive: &ArchivedFile,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO import_files (import_id, archive_key, archive_sha256, archive_size, \
             archived_at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (import_id) DO UPDATE SET archive_key = excluded.archive_key, \
                 archive_sha256 = excluded.archive_sha256, \
                 archive_size = excluded.archive_size, archived_at = excluded.archived_at \
             WHERE import_files.archived_at IS NULL",
        )
        .bind(import_id)
        .bind(&archive.key)
        .bind(&archive.sha256)
        .bind(bound(archive.size_bytes)?)
        .bind(time_text(archive.at))
        .execute(&self.pool)
        .await
        .map_err(failed("recording an archived file"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn record_report(
        &self,
        import_id: &str,
        report: &WrittenReport,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO import_files (import_id, report_key, report_sha256, report_size, \
             report_rows, totals_key, totals, ties_out, reported_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
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
        .bind(time_text(report.at))
        .execute(&self.pool)
        .await
        .map_err(failed("recording a report"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn record_files_fault(
        &self,
        import_id: &str,
        fault: &FilesFault,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO import_files (import_id, attempts, fault, fault_area, fault_since) \
             VALUES (?1, 1, ?2, ?3, ?4) \
             ON CONFLICT (import_id) DO UPDATE SET attempts = import_files.attempts + 1, \
                 fault = excluded.fault, fault_area = excluded.fault_area, \
                 fault_since = CASE WHEN import_files.fault_area = excluded.fault_area \
                     THEN import_files.fault_since ELSE excluded.fault_since END",
        )
        .bind(import_id)
        .bind(&fault.what)
        .bind(&fault.area)
        .bind(time_text(fault.since))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed("recording why an import's files wait"))
    }

    async fn clear_files_fault(&self, import_id: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE import_files SET fault = NULL, fault_area = NULL, fault_since = NULL \
             WHERE import_id = ?1 AND fault IS NOT NULL",
        )
        .bind(import_id)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed("recording that an import's files wait no more"))
    }

    async fn files_with_fault(&self, area: &str) -> Result<u64, StoreError> {
        sqlx::query("SELECT COUNT(*) AS faulty FROM import_files WHERE fault_area = ?1")
            .bind(area)
            .fetch_one(&self.pool)
            .await
            .map_err(failed("counting imports whose files wait"))?
            .count("faulty")
    }

    async fn finish_files(&self, import_id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE imports SET files_done = 1 \
             WHERE import_id = ?1 AND files_done = 0 AND EXISTS ( \
                 SELECT 1 FROM import_files f WHERE f.import_id = imports.import_id \
                 AND f.archived_at IS NOT NULL AND (imports.phase = 'rejected' \
                     OR imports.phase = 'applied' AND f.reported_at IS NOT NULL AND f.ties_out = 1))",
        )
        .bind(import_id)
        .execute(&self.pool)
        .await
        .map_err(failed("finishing an import's files"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn first_rows(
        &self,
        import_id: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.import_id = ?1 AND j.position > ?2 \
             AND j.supersedes IS NULL AND j.repeats IS NULL \
             AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.resolved_position = j.position) \
             ORDER BY j.position LIMIT ?3"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(import_id)
            .bind(bound(after)?)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading an import's journal rows"))?
            .iter()
            .map(journal_row)
            .collect()
    }

    async fn rows_at(&self, positions: &[u64]) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.position IN (SELECT value FROM json_each(?1)) ORDER BY j.position"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(json(&positions, "positions")?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading journal rows"))?
            .iter()
            .map(journal_row)
            .collect()
    }

    async fn exceptions_at(
        &self,
        positions: &[u64],
    ) -> Result<Vec<(String, RowException)>, StoreError> {
        sqlx::query(
            "SELECT name, position, kind, message FROM follower_exceptions \
             WHERE position IN (SELECT value FROM json_each(?1)) ORDER BY position, name",
        )
        .bind(json(&positions, "positions")?)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing exceptions"))?
        .iter()
        .map(|row| Ok((row.text("name")?, row_exception(row)?)))
        .collect()
    }

    async fn holds_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        let sql = format!(
            "{HOLDS} WHERE import_id = ?1 AND ordinal >= ?2 AND ordinal < ?3 \
             ORDER BY ordinal, held_at, hold_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(import_id)
            .bind(bound(ordinals.start)?)
            .bind(bound(ordinals.end)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading an import's holds"))?
            .iter()
            .map(hold_record)
            .collect()
    }

    async fn duplicates_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DuplicateLine>, StoreError> {
        sqlx::query(
            "SELECT ordinal, line, transfer_id, of_return_id, entry FROM import_duplicates \
             WHERE import_id = ?1 AND ordinal >= ?2 AND ordinal < ?3 ORDER BY ordinal",
        )
        .bind(import_id)
        .bind(bound(ordinals.start)?)
        .bind(bound(ordinals.end)?)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("reading an import's duplicates"))?
        .iter()
        .map(duplicate_line)
        .collect()
    }

    async fn rejected_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<RejectedLine>, StoreError> {
        sqlx::query(
            "SELECT ordinal, rejected FROM import_rejected_lines \
             WHERE import_id = ?1 AND ordinal >= ?2 AND ordinal < ?3 ORDER BY ordinal",
        )
        .bind(import_id)
        .bind(bound(ordinals.start)?)
        .bind(bound(ordinals.end)?)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("reading an import's unreadable lines"))?
        .iter()
        .map(rejected_line)
        .collect()
    }
}
