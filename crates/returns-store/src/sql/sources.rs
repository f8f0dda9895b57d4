//! What operators have changed of sources.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::job::{Paused, SourceChange, SourceChangeTo, SourceState};

use super::SqlStore;
use super::audit::append_audit;
use crate::StoreError;
use crate::columns::{bound, from_json, json};
use crate::db::{Record, Statement, statement};
use crate::job::SourceStore;

/// A change of a source that still is as it was looked at.
fn change_source(change: &SourceChange) -> Result<Statement, StoreError> {
    let set = match &change.to {
        SourceChangeTo::Plan(_) => "plan = $3, known_since = $4",
        SourceChangeTo::Paused(_) => "paused_at = $3, paused_by = $4, paused_reason = $5",
        SourceChangeTo::Resumed => {
            "paused_at = NULL, paused_by = NULL, paused_reason = NULL, \
             known_since = $3, due_since = $3"
        }
    };
    let sql = format!(
        "UPDATE sources SET {set}, version = version + 1 WHERE source = $1 AND version = $2"
    );
    let update = statement("change a source", sql)
        .bind(&change.source)
        .bind(bound(change.seen_version)?);
    Ok(match &change.to {
        SourceChangeTo::Plan(plan) => {
            let plan = plan.as_ref().map(|plan| json(plan, "a plan")).transpose()?;
            update.bind(plan).bind(change.audit.at)
        }
        SourceChangeTo::Paused(paused) => {
            update.bind(paused.at).bind(&paused.by).bind(&paused.reason)
        }
        SourceChangeTo::Resumed => update.bind(change.audit.at),
    })
}

fn source_state(row: &Record) -> Result<SourceState, StoreError> {
    let plan = row.optional_text("plan")?;
    Ok(SourceState {
        source: row.text("source")?,
        known_since: row.time("known_since")?,
        due_since: row.time("due_since")?,
        plan: plan
            .map(|plan| from_json(&plan, "sources.plan"))
            .transpose()?,
        paused: match row.optional_time("paused_at")? {
            Some(at) => Some(Paused {
                at,
                by: row.text("paused_by")?,
                reason: row.text("paused_reason")?,
            }),
            None => None,
        },
        retry_at: row.optional_time("retry_at")?,
        retries: u32::try_from(row.count("retries")?).unwrap_or(u32::MAX),
        version: row.count("version")?,
    })
}

#[async_trait]
impl SourceStore for SqlStore {
    async fn source_state(
        &self,
        source: &str,
        now: DateTime<Utc>,
    ) -> Result<SourceState, StoreError> {
        let what = "read a source's state";
        let read = || {
            statement(
                what,
                "SELECT source, known_since, COALESCE(due_since, known_since) AS due_since, \
                 plan, paused_at, paused_by, paused_reason, retry_at, retries, version \
                 FROM sources WHERE source = $1",
            )
            .bind(source)
        };
        if let Some(found) = read().optional(&self.db, source_state).await? {
            return Ok(found);
        }
        statement(
            what,
            "INSERT INTO sources (source, known_since, due_since) VALUES ($1, $2, $2) \
             ON CONFLICT DO NOTHING",
        )
        .bind(source)
        .bind(now)
        .execute(&self.db)
        .await?;
        read().one(&self.db, source_state).await
    }

    async fn change_source(&self, change: &SourceChange) -> Result<bool, StoreError> {
        let what = "change a source";
        let mut tx = self.db.begin(what).await?;
        if change_source(change)?.execute(&mut tx).await? != 1 {
            return Ok(false);
        }
        append_audit(&mut tx, &change.audit).await?;
        tx.commit(what).await?;
        Ok(true)
    }
}
