//! Files, and what became of them.

use std::collections::HashMap;

use ach::format::FileRejected;
use chrono::{DateTime, Utc};
use returns_model::ids;
use returns_model::import::{
    Checked, ImportRecord, NewImport, Phase, Received, RejectedLine, Totals,
};
use sqlx::{AssertSqlSafe, Row as _};

use super::SqliteStore;
use super::codec::time_text;
use crate::columns::{Columns as _, bound, failed, json};
use crate::records::{import_progress, import_record, rejected_line};
use crate::{ImportProgress, StoreError};

const IMPORTS: &str = "SELECT import_id, source, file_name, sha256, size_bytes, spool_name, \
     reissued, phase, done, totals, checked, rejection, received_at, rejected_at, decided_at, \
     applied_at FROM imports";

impl SqliteStore {
    pub(super) async fn record_import(&self, new: NewImport) -> Result<Received, StoreError> {
        let what = "recording a file";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let sql =
            format!("{IMPORTS} WHERE source = ? AND sha256 = ? ORDER BY received_at, import_id");
        let earlier = sqlx::query(AssertSqlSafe(sql))
            .bind(&new.source)
            .bind(&new.sha256)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(what))?
            .iter()
            .map(import_record)
            .collect::<Result<Vec<_>, _>>()?;
        let attempt = earlier.len() as u64 + 1;
        let standing = earlier
            .into_iter()
            .find(|import| !matches!(import.phase, Phase::Rejected { .. }));
        if let Some(first) = standing {
            return Ok(Received::Known(first));
        }
        let reissued: bool = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM imports \
             WHERE source = ? AND file_name = ? AND sha256 <> ?)",
        )
        .bind(&new.source)
        .bind(&new.file_name)
        .bind(&new.sha256)
        .fetch_one(&mut *tx)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed(what))?;
        let record = ImportRecord {
            import_id: ids::import_id(&new.source, &new.sha256, attempt),
            new,
            reissued,
            phase: Phase::Checking,
            done: 0,
            totals: Totals::default(),
        };
        sqlx::query(
            "INSERT INTO imports (import_id, source, file_name, sha256, size_bytes, spool_name, \
             reissued, phase, totals, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'checking', ?, ?)",
        )
        .bind(&record.import_id)
        .bind(&record.new.source)
        .bind(&record.new.file_name)
        .bind(&record.new.sha256)
        .bind(bound(record.new.size_bytes)?)
        .bind(&record.new.spool_name)
        .bind(reissued)
        .bind(json(&record.totals, "imports.totals")?)
        .bind(time_text(record.new.received_at))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        tx.commit().await.map_err(failed(what))?;
        Ok(Received::New(record))
    }

    pub(super) async fn read_import(
        &self,
        import_id: &str,
    ) -> Result<Option<ImportRecord>, StoreError> {
        let sql = format!("{IMPORTS} WHERE import_id = ?");
        sqlx::query(AssertSqlSafe(sql))
            .bind(import_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an import"))?
            .as_ref()
            .map(import_record)
            .transpose()
    }

    pub(super) async fn read_imports(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let (before_time, before_id) = before.map(|(at, id)| (time_text(at), id)).unzip();
        let sql = format!(
            "{IMPORTS} WHERE (?1 IS NULL OR source = ?1) \
             AND (?2 IS NULL OR (received_at, import_id) < (?2, ?3)) \
             ORDER BY received_at DESC, import_id DESC LIMIT ?4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(source)
            .bind(before_time)
            .bind(before_id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing imports"))?
            .iter()
            .map(import_record)
            .collect()
    }

    pub(super) async fn count_imports(&self) -> Result<HashMap<String, u64>, StoreError> {
        sqlx::query("SELECT source, COUNT(*) AS imports FROM imports GROUP BY source")
            .fetch_all(&self.pool)
            .await
            .map_err(failed("counting imports"))?
            .iter()
            .map(|row| Ok((row.text("source")?, row.count("imports")?)))
            .collect()
    }

    pub(super) async fn read_open_imports(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "SELECT import_id FROM imports WHERE phase IN ('checking', 'deciding') \
             ORDER BY received_at, import_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing open imports"))?
        .iter()
        .map(|row| row.text("import_id"))
        .collect()
    }

    pub(super) async fn write_rejection(
        &self,
        import_id: &str,
        why: &FileRejected,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE imports SET phase = 'rejected', rejection = ?, rejected_at = ? \
             WHERE import_id = ? AND phase = 'checking'",
        )
        .bind(json(why, "imports.rejection")?)
        .bind(time_text(at))
        .bind(import_id)
        .execute(&self.pool)
        .await
        .map_err(failed("refusing an import"))?;
        Ok(done.rows_affected() == 1)
    }

    /// A file without entries has nothing to decide, so it is decided with its check.
    pub(super) async fn write_acceptance(
        &self,
        import_id: &str,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let empty = checked.items == 0;
        let done = sqlx::query(
            "UPDATE imports SET phase = ?, checked = ?, decided_at = ? \
             WHERE import_id = ? AND phase = 'checking'",
        )
        .bind(if empty { "decided" } else { "deciding" })
        .bind(json(checked, "imports.checked")?)
        .bind(empty.then(|| time_text(at)))
        .bind(import_id)
        .execute(&self.pool)
        .await
        .map_err(failed("accepting an import"))?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn read_rejected_lines(
        &self,
        import_id: &str,
        limit: u32,
    ) -> Result<Vec<RejectedLine>, StoreError> {
        sqlx::query(
            "SELECT ordinal, rejected FROM import_rejected_lines \
             WHERE import_id = ? ORDER BY ordinal LIMIT ?",
        )
        .bind(import_id)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing unreadable lines"))?
        .iter()
        .map(rejected_line)
        .collect()
    }

    pub(super) async fn mark_applied(
        &self,
        databases: &[String],
        at: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        // A database that was never heard of has passed nothing.
        sqlx::query(
            "UPDATE imports SET phase = 'applied', applied_at = ?1 WHERE phase = 'decided' \
             AND last_position <= (SELECT MIN(COALESCE(f.position, 0)) FROM json_each(?2) d \
                                   LEFT JOIN followers f ON f.name = d.value) \
             AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                 JOIN journal j ON j.position = e.position \
                 WHERE e.handled = 0 AND j.import_id = imports.import_id) \
             RETURNING import_id",
        )
        .bind(time_text(at))
        .bind(json(&databases, "databases")?)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("finishing imports"))?
        .iter()
        .map(|row| row.text("import_id"))
        .collect()
    }

    pub(super) async fn read_import_progress(
        &self,
        import_id: &str,
        database: &str,
    ) -> Result<ImportProgress, StoreError> {
        let row = sqlx::query(
            "SELECT i.row_count, i.first_position, i.last_position, f.fault, \
             CASE WHEN COALESCE(f.position, 0) >= i.last_position THEN i.row_count \
                  WHEN f.position < i.first_position OR f.position IS NULL THEN 0 \
                  ELSE (SELECT SUM(MIN(s.last_position, f.position) - s.first_position + 1) \
                        FROM import_stretches s \
                        WHERE s.import_id = i.import_id AND s.first_position <= f.position) \
             END AS passed, \
             (SELECT COUNT(*) FROM follower_exceptions e JOIN journal j ON j.position = e.position \
              WHERE e.name = ?2 AND j.import_id = i.import_id \
              AND e.position BETWEEN i.first_position AND i.last_position) AS exceptions \
             FROM imports i LEFT JOIN followers f ON f.name = ?2 WHERE i.import_id = ?1",
        )
        .bind(import_id)
        .bind(database)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed("reading an import's progress"))?;
        row.as_ref()
            .map_or_else(|| Ok(ImportProgress::default()), import_progress)
    }
}
