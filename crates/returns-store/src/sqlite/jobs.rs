//! The daily job's rows.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::job::{
    AuditRecord, Begun, Came, NewRun, RemoteKey, RunEnd, RunRecord, SourceChange, SourceChangeTo,
    SourceState, Taken,
};
use returns_model::run_outcome::RunOutcome;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::SqliteStore;
use super::claims::NOW;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{Columns as _, bound, failed, json, milliseconds};
use crate::job::{RemoteFileStore, RunStore, SourceStore};
use crate::records::{audit_record, came, run_record, source_state, taken};

const RUNS: &str = "SELECT run_id, source, slot, slot_at, trigger, actor, started_at, ended_at, \
     outcome, summary, cause, files FROM job_runs";

#[async_trait]
impl SourceStore for SqliteStore {
    async fn source_state(
        &self,
        source: &str,
        now: DateTime<Utc>,
    ) -> Result<SourceState, StoreError> {
        let what = "reading a source's state";
        let read = "SELECT source, known_since, COALESCE(due_since, known_since) AS due_since, plan, \
                    paused_at, paused_by, paused_reason, \
                    retry_at, retries, version FROM sources WHERE source = ?";
        let found = sqlx::query(read)
            .bind(source)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed(what))?;
        if let Some(row) = found {
            return source_state(&row);
        }
        sqlx::query(
            "INSERT INTO sources (source, known_since, due_since) VALUES (?1, ?2, ?2) \
             ON CONFLICT DO NOTHING",
        )
        .bind(source)
        .bind(time_text(now))
        .execute(&self.pool)
        .await
        .map_err(failed(what))?;
        let row = sqlx::query(read).bind(source).fetch_one(&self.pool).await;
        source_state(&row.map_err(failed(what))?)
    }

    async fn change_source(&self, change: &SourceChange) -> Result<bool, StoreError> {
        let what = "changing a source";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let query = match &change.to {
            SourceChangeTo::Plan(plan) => {
                let plan = plan.as_ref().map(|plan| json(plan, "a plan")).transpose()?;
                sqlx::query(
                    "UPDATE sources SET plan = ?3, known_since = ?4, version = version + 1 \
                     WHERE source = ?1 AND version = ?2",
                )
                .bind(&change.source)
                .bind(bound(change.seen_version)?)
                .bind(plan)
                .bind(time_text(change.audit.at))
            }
            SourceChangeTo::Paused(paused) => sqlx::query(
                "UPDATE sources SET paused_at = ?3, paused_by = ?4, paused_reason = ?5, \
                 version = version + 1 WHERE source = ?1 AND version = ?2",
            )
            .bind(&change.source)
            .bind(bound(change.seen_version)?)
            .bind(time_text(paused.at))
            .bind(&paused.by)
            .bind(&paused.reason),
            SourceChangeTo::Resumed => sqlx::query(
                "UPDATE sources SET paused_at = NULL, paused_by = NULL, paused_reason = NULL, \
                 known_since = ?3, due_since = ?3, version = version + 1 \
                 WHERE source = ?1 AND version = ?2",
            )
            .bind(&change.source)
            .bind(bound(change.seen_version)?)
            .bind(time_text(change.audit.at)),
        };
        let changed = query.execute(&mut *tx).await.map_err(failed(what))?;
        if changed.rows_affected() != 1 {
            return Ok(false);
        }
        insert_audit(&mut tx, &change.audit).await?;
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    async fn audit(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        sqlx::query(
            "SELECT audit_id, at, actor, action, subject, before, after, reason FROM audit \
             ORDER BY at DESC, audit_id DESC LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing what operators did"))?
        .iter()
        .map(audit_record)
        .collect()
    }

    async fn record_audit(&self, audit: &AuditRecord) -> Result<(), StoreError> {
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(failed("keeping what an operator did"))?;
        insert_audit(&mut connection, audit).await
    }
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn begin_run(
        &self,
        new: &NewRun,
        owner: &str,
        lease: Duration,
    ) -> Result<Begun, StoreError> {
        let what = "beginning a run";
        let sql = format!(
            "INSERT INTO job_runs (run_id, source, slot, slot_at, trigger, actor, started_at, \
             leased_by, leased_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, {NOW} + ?) \
             ON CONFLICT DO NOTHING"
        );
        let begun = sqlx::query(AssertSqlSafe(sql))
            .bind(&new.run_id)
            .bind(&new.source)
            .bind(&new.slot)
            .bind(new.slot_at.map(time_text))
            .bind(new.trigger.as_str())
            .bind(&new.actor)
            .bind(time_text(new.started_at))
            .bind(owner)
            .bind(milliseconds(lease)?)
            .execute(&self.pool)
            .await
            .map_err(failed(what))?;
        if begun.rows_affected() == 1 {
            return Ok(Begun::Started);
        }
        let running = sqlx::query(
            "SELECT run_id FROM job_runs WHERE source = ?1 AND ended_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM job_runs WHERE source = ?1 AND slot = ?2)",
        )
        .bind(&new.source)
        .bind(&new.slot)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(what))?;
        running.map_or(Ok(Begun::SlotTaken), |row| {
            Ok(Begun::Busy {
                run_id: row.text("run_id")?,
            })
        })
    }

    async fn take_over_runs(
        &self,
        owner: &str,
        besides: &[String],
        lease: Duration,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let what = "taking over runs";
        let besides = json(&besides, "run ids")?;
        let orphans = format!(
            "FROM job_runs WHERE ended_at IS NULL AND (leased_by = ?1 OR leased_until <= {NOW}) \
             AND run_id NOT IN (SELECT value FROM json_each(?2))"
        );
        // Looking takes no lock; an update would, even when it finds nothing.
        let any: bool = sqlx::query(AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 {orphans})")))
            .bind(owner)
            .bind(&besides)
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(what))?;
        if !any {
            return Ok(Vec::new());
        }
        let sql = format!(
            "UPDATE job_runs SET leased_by = ?1, leased_until = {NOW} + ?3 \
             WHERE run_id IN (SELECT run_id {orphans}) RETURNING run_id, source, slot, slot_at, \
             trigger, actor, started_at, ended_at, outcome, summary, cause, files"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(owner)
            .bind(&besides)
            .bind(milliseconds(lease)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed(what))?
            .iter()
            .map(run_record)
            .collect()
    }

    async fn renew_run(
        &self,
        run_id: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE job_runs SET leased_until = {NOW} + ?3 \
             WHERE run_id = ?1 AND leased_by = ?2 AND ended_at IS NULL"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(run_id)
            .bind(owner)
            .bind(milliseconds(lease)?)
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected() == 1)
            .map_err(failed("renewing a run's lease"))
    }

    async fn end_run(
        &self,
        run_id: &str,
        owner: &str,
        end: &RunEnd,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let what = "ending a run";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let ended = sqlx::query(
            "UPDATE job_runs SET ended_at = ?3, outcome = ?4, summary = ?5, cause = ?6, \
             files = ?7, leased_by = NULL, leased_until = NULL \
             WHERE run_id = ?1 AND leased_by = ?2 AND ended_at IS NULL RETURNING source",
        )
        .bind(run_id)
        .bind(owner)
        .bind(time_text(end.at))
        .bind(end.outcome.as_str())
        .bind(&end.summary)
        .bind(&end.cause)
        .bind(json(&end.files, "a run's files")?)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(what))?;
        let Some(row) = ended else { return Ok(false) };
        sqlx::query(
            "UPDATE sources SET retry_at = ?2, \
             retries = CASE WHEN ?2 IS NULL THEN 0 ELSE retries + 1 END WHERE source = ?1",
        )
        .bind(row.text("source")?)
        .bind(retry_at.map(time_text))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunRecord>, StoreError> {
        sqlx::query(AssertSqlSafe(format!("{RUNS} WHERE run_id = ?")))
            .bind(run_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading a run"))?
            .as_ref()
            .map(run_record)
            .transpose()
    }

    async fn runs(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let (at, id) = before.unzip();
        let sql = format!(
            "{RUNS} WHERE (?1 IS NULL OR source = ?1) \
             AND (?2 IS NULL OR (started_at, run_id) < (?2, ?3)) \
             ORDER BY started_at DESC, run_id DESC LIMIT ?4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(source)
            .bind(at.map(time_text))
            .bind(id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing runs"))?
            .iter()
            .map(run_record)
            .collect()
    }

    async fn last_run(
        &self,
        source: &str,
        outcomes: &[RunOutcome],
    ) -> Result<Option<RunRecord>, StoreError> {
        let outcomes: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
        let sql = format!(
            "{RUNS} WHERE source = ? AND outcome IN (SELECT value FROM json_each(?)) \
             ORDER BY started_at DESC, run_id DESC LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(source)
            .bind(json(&outcomes, "outcomes")?)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("looking for the last run"))?
            .as_ref()
            .map(run_record)
            .transpose()
    }

    async fn last_slot_at(&self, source: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        sqlx::query(
            "SELECT MAX(slot_at) AS slot_at FROM job_runs \
             WHERE source = ? AND trigger IN ('schedule', 'catch_up')",
        )
        .bind(source)
        .fetch_one(&self.pool)
        .await
        .map_err(failed("looking for the last slot"))?
        .optional_time("slot_at")
    }

    async fn slot_taken(&self, source: &str, slot: &str) -> Result<bool, StoreError> {
        sqlx::query("SELECT EXISTS (SELECT 1 FROM job_runs WHERE source = ? AND slot = ?)")
            .bind(source)
            .bind(slot)
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed("looking for a slot"))
    }
}

#[async_trait]
impl RemoteFileStore for SqliteStore {
    async fn taken(&self, file: &RemoteKey) -> Result<Option<Taken>, StoreError> {
        sqlx::query(
            "SELECT import_id, taken_at, put_away_at FROM remote_files \
             WHERE source = ? AND name = ? AND size_bytes = ? AND modified_at = ?",
        )
        .bind(&file.source)
        .bind(&file.name)
        .bind(bound(file.size_bytes)?)
        .bind(time_text(file.modified_at))
        .fetch_optional(&self.pool)
        .await
        .map_err(failed("looking for a file that was taken"))?
        .as_ref()
        .map(taken)
        .transpose()
    }

    async fn record_taken(
        &self,
        file: &RemoteKey,
        import_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO remote_files (source, name, size_bytes, modified_at, import_id, \
             taken_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&file.source)
        .bind(&file.name)
        .bind(bound(file.size_bytes)?)
        .bind(time_text(file.modified_at))
        .bind(import_id)
        .bind(time_text(at))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed("keeping that a file was taken"))
    }

    async fn record_put_away(&self, file: &RemoteKey, at: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE remote_files SET put_away_at = ? WHERE source = ? AND name = ? \
             AND size_bytes = ? AND modified_at = ? AND put_away_at IS NULL",
        )
        .bind(time_text(at))
        .bind(&file.source)
        .bind(&file.name)
        .bind(bound(file.size_bytes)?)
        .bind(time_text(file.modified_at))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed("keeping that a file was put away"))
    }

    async fn came_since(&self, source: &str, from: DateTime<Utc>) -> Result<Vec<Came>, StoreError> {
        sqlx::query(
            "SELECT i.import_id, i.received_at, (SELECT MIN(r.modified_at) FROM remote_files r \
                 WHERE r.source = i.source AND r.import_id = i.import_id \
                 AND r.name = i.file_name) AS modified_at, \
                 CAST(NULL AS TEXT) AS checked \
             FROM imports i WHERE i.source = ?1 AND i.received_at >= ?2 \
             UNION ALL \
             SELECT i.import_id, r.taken_at, r.modified_at, i.checked \
             FROM remote_files r JOIN imports i ON i.import_id = r.import_id \
             WHERE r.source = ?1 AND r.taken_at >= ?2 AND i.checked IS NOT NULL \
             AND (r.name <> i.file_name OR r.taken_at > (SELECT MIN(f.taken_at) \
                 FROM remote_files f WHERE f.source = r.source AND f.import_id = r.import_id)) \
             ORDER BY 2, 1",
        )
        .bind(source)
        .bind(time_text(from))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("looking for a day's files"))?
        .iter()
        .filter_map(|row| came(row).transpose())
        .collect()
    }

    async fn taken_since(
        &self,
        source: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "SELECT import_id FROM remote_files WHERE source = ? AND taken_at >= ? \
             GROUP BY import_id ORDER BY MIN(taken_at), import_id",
        )
        .bind(source)
        .bind(time_text(since))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing files that were taken"))?
        .iter()
        .map(|row: &SqliteRow| row.text("import_id"))
        .collect()
    }

    async fn unfinished_imports(&self, source: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "SELECT import_id FROM imports WHERE source = ? \
             AND phase IN ('checking', 'deciding', 'decided') ORDER BY received_at, import_id",
        )
        .bind(source)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing unfinished imports"))?
        .iter()
        .map(|row: &SqliteRow| row.text("import_id"))
        .collect()
    }
}

pub(super) async fn insert_audit(
    connection: &mut SqliteConnection,
    audit: &AuditRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (audit_id, at, actor, action, subject, before, after, reason) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&audit.audit_id)
    .bind(time_text(audit.at))
    .bind(&audit.actor)
    .bind(&audit.action)
    .bind(&audit.subject)
    .bind(&audit.before)
    .bind(&audit.after)
    .bind(&audit.reason)
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("keeping what an operator did"))
}
