//! Runs of the daily job.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::job::{Begun, NewRun, RunEnd, RunRecord};
use returns_model::run_outcome::RunOutcome;

use super::SqlStore;
use crate::StoreError;
use crate::columns::{json, milliseconds};
use crate::db::{Record, Statement, statement};
use crate::job::RunStore;

const RUN_COLUMNS: &str = "run_id, source, slot, slot_at, trigger, actor, started_at, ended_at, \
     outcome, summary, cause, files";

/// The statement that reads runs, with its end.
fn runs(what: &'static str, end: &str) -> Statement {
    statement(what, format!("SELECT {RUN_COLUMNS} FROM job_runs {end}"))
}

fn run_record(row: &Record) -> Result<RunRecord, StoreError> {
    let ended = match row.optional_time("ended_at")? {
        Some(at) => Some(RunEnd {
            at,
            outcome: row.word("outcome")?,
            summary: row.text("summary")?,
            cause: row.optional_text("cause")?,
            files: row.json("files", "job_runs.files")?,
        }),
        None => None,
    };
    Ok(RunRecord {
        new: NewRun {
            run_id: row.text("run_id")?,
            source: row.text("source")?,
            slot: row.text("slot")?,
            slot_at: row.optional_time("slot_at")?,
            trigger: row.word("trigger")?,
            actor: row.optional_text("actor")?,
            started_at: row.time("started_at")?,
        },
        ended,
    })
}

#[async_trait]
impl RunStore for SqlStore {
    async fn begin_run(
        &self,
        new: &NewRun,
        owner: &str,
        lease: Duration,
    ) -> Result<Begun, StoreError> {
        let what = "begin a run";
        let until = self.db.syntax().now_plus("$9");
        let sql = format!(
            "INSERT INTO job_runs (run_id, source, slot, slot_at, trigger, actor, started_at, \
             leased_by, leased_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, {until}) \
             ON CONFLICT DO NOTHING"
        );
        let begun = statement(what, sql)
            .bind(&new.run_id)
            .bind(&new.source)
            .bind(&new.slot)
            .bind(new.slot_at)
            .bind(new.trigger.as_str())
            .bind(&new.actor)
            .bind(new.started_at)
            .bind(owner)
            .bind(milliseconds(lease)?)
            .execute(&self.db)
            .await?;
        if begun == 1 {
            return Ok(Begun::Started);
        }
        let running = statement(
            what,
            "SELECT run_id FROM job_runs WHERE source = $1 AND ended_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM job_runs WHERE source = $1 AND slot = $2)",
        )
        .bind(&new.source)
        .bind(&new.slot)
        .optional(&self.db, |row| row.text("run_id"))
        .await?;
        Ok(running.map_or(Begun::SlotTaken, |run_id| Begun::Busy { run_id }))
    }

    async fn take_over_runs(
        &self,
        owner: &str,
        besides: &[String],
        lease: Duration,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let what = "take over runs";
        let syntax = self.db.syntax();
        let orphans = format!(
            "ended_at IS NULL AND (leased_by = $1 OR leased_until <= {}) AND run_id {}",
            syntax.now(),
            syntax.none_of("$2")
        );
        if syntax.has_one_writer() {
            let look = format!("SELECT 1 FROM job_runs WHERE {orphans} LIMIT 1");
            let found = statement(what, look).bind(owner).bind(besides);
            if found.optional(&self.db, |_| Ok(())).await?.is_none() {
                return Ok(Vec::new());
            }
        }
        let sql = format!(
            "UPDATE job_runs SET leased_by = $1, leased_until = {} WHERE {orphans} \
             RETURNING {RUN_COLUMNS}",
            syntax.now_plus("$3")
        );
        statement(what, sql)
            .bind(owner)
            .bind(besides)
            .bind(milliseconds(lease)?)
            .list(&self.db, run_record)
            .await
    }

    async fn renew_run(
        &self,
        run_id: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE job_runs SET leased_until = {} \
             WHERE run_id = $1 AND leased_by = $2 AND ended_at IS NULL",
            self.db.syntax().now_plus("$3")
        );
        statement("renew a run's lease", sql)
            .bind(run_id)
            .bind(owner)
            .bind(milliseconds(lease)?)
            .execute(&self.db)
            .await
            .map(|done| done == 1)
    }

    async fn end_run(
        &self,
        run_id: &str,
        owner: &str,
        end: &RunEnd,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let what = "end a run";
        let mut tx = self.db.begin(what).await?;
        let ended = statement(
            what,
            "UPDATE job_runs SET ended_at = $3, outcome = $4, summary = $5, cause = $6, \
             files = $7, leased_by = NULL, leased_until = NULL \
             WHERE run_id = $1 AND leased_by = $2 AND ended_at IS NULL RETURNING source",
        )
        .bind(run_id)
        .bind(owner)
        .bind(end.at)
        .bind(end.outcome.as_str())
        .bind(&end.summary)
        .bind(&end.cause)
        .bind(json(&end.files, "a run's files")?)
        .optional(&mut tx, |row| row.text("source"))
        .await?;
        let Some(source) = ended else {
            return Ok(false);
        };
        statement(
            what,
            "UPDATE sources SET retry_at = $2, \
             retries = CASE WHEN $2 IS NULL THEN 0 ELSE retries + 1 END WHERE source = $1",
        )
        .bind(source)
        .bind(retry_at)
        .execute(&mut tx)
        .await?;
        tx.commit(what).await?;
        Ok(true)
    }

    async fn run(&self, run_id: &str) -> Result<Option<RunRecord>, StoreError> {
        runs("read a run", "WHERE run_id = $1")
            .bind(run_id)
            .optional(&self.db, run_record)
            .await
    }

    async fn runs(
        &self,
        source: Option<&str>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let (at, id) = before.unzip();
        runs(
            "list runs",
            "WHERE ($1 IS NULL OR source = $1) \
             AND ($2 IS NULL OR (started_at, run_id) < ($2, $3)) \
             ORDER BY started_at DESC, run_id DESC LIMIT $4",
        )
        .bind(source)
        .bind(at)
        .bind(id)
        .bind(limit)
        .list(&self.db, run_record)
        .await
    }

    async fn last_run(
        &self,
        source: &str,
        outcomes: &[RunOutcome],
    ) -> Result<Option<RunRecord>, StoreError> {
        let outcomes: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
        let end = format!(
            "WHERE source = $1 AND outcome {} ORDER BY started_at DESC, run_id DESC LIMIT 1",
            self.db.syntax().one_of("$2")
        );
        runs("find the last run", &end)
            .bind(source)
            .bind(outcomes)
            .optional(&self.db, run_record)
            .await
    }

    async fn last_slot_at(&self, source: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        statement(
            "find the last slot",
            "SELECT MAX(slot_at) AS slot_at FROM job_runs \
             WHERE source = $1 AND trigger IN ('schedule', 'catch_up')",
        )
        .bind(source)
        .one(&self.db, |row| row.optional_time("slot_at"))
        .await
    }

    async fn slot_taken(&self, source: &str, slot: &str) -> Result<bool, StoreError> {
        statement(
            "find a slot",
            "SELECT EXISTS (SELECT 1 FROM job_runs WHERE source = $1 AND slot = $2) AS taken",
        )
        .bind(source)
        .bind(slot)
        .one(&self.db, |row| row.flag("taken"))
        .await
    }
}
