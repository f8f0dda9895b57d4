//! Entries that wait.

use chrono::{DateTime, Utc};
use returns_model::hold::{HoldChange, HoldChangeTo, HoldFilter, HoldRecord};
use sqlx::{AssertSqlSafe, Row as _};

use super::SqliteStore;
use super::append::write_hold_transfers;
use super::codec::time_text;
use super::dishonor::write_marks;
use crate::StoreError;
use crate::columns::{failed, json, reason_text, unreadable};
use crate::records::hold_record;

pub(super) const HOLDS: &str = "SELECT hold_id, source, import_id, ordinal, reason, detail, entry, \
     transfer_ids, failed_database, failed_position, state, attempts, next_attempt_at, held_at, \
     closed_at, closed_by, note, resolved_position FROM holds";

impl SqliteStore {
    pub(super) async fn read_hold(&self, hold_id: &str) -> Result<Option<HoldRecord>, StoreError> {
        let sql = format!("{HOLDS} WHERE hold_id = ?");
        sqlx::query(AssertSqlSafe(sql))
            .bind(hold_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading a hold"))?
            .as_ref()
            .map(hold_record)
            .transpose()
    }

    pub(super) async fn read_holds(
        &self,
        filter: &HoldFilter,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        let (after_time, after_id) = after.map(|(at, id)| (time_text(at), id)).unzip();
        let sql = format!(
            "{HOLDS} WHERE state = ?1 AND (?2 IS NULL OR import_id = ?2) \
             AND (?3 IS NULL OR reason = ?3) \
             AND (?4 IS NULL OR (held_at, hold_id) > (?4, ?5)) \
             AND (?6 IS NULL OR hold_id IN \
                  (SELECT hold_id FROM hold_transfers WHERE transfer_id = ?6)) \
             ORDER BY held_at, hold_id LIMIT ?7"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(filter.state.as_str())
            .bind(&filter.import_id)
            .bind(filter.reason.map(reason_text).transpose()?)
            .bind(after_time)
            .bind(after_id)
            .bind(&filter.transfer_id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing holds"))?
            .iter()
            .map(hold_record)
            .collect()
    }

    pub(super) async fn read_due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        let sql = format!(
            "{HOLDS} WHERE state = 'open' AND next_attempt_at <= ? \
             ORDER BY next_attempt_at, hold_id LIMIT ?"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(time_text(now))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing due holds"))?
            .iter()
            .map(hold_record)
            .collect()
    }

    pub(super) async fn count_open_holds(&self) -> Result<u64, StoreError> {
        let what = "counting open holds";
        let open: i64 = sqlx::query("SELECT COUNT(*) FROM holds WHERE state = 'open'")
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(what))?;
        u64::try_from(open).map_err(|error| unreadable("holds", error))
    }

    pub(super) async fn write_hold_change(&self, change: &HoldChange) -> Result<bool, StoreError> {
        let what = "changing a hold";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let done = match &change.to {
            HoldChangeTo::StillOpen {
                reason,
                detail,
                transfer_ids,
                next_attempt_at,
                dishonor,
                at,
            } => {
                write_marks(&mut tx, dishonor, *at).await?;
                write_hold_transfers(&mut tx, &change.hold_id, transfer_ids).await?;
                sqlx::query(
                    "UPDATE holds SET attempts = attempts + 1, reason = ?, detail = ?, \
                     transfer_ids = ?, next_attempt_at = ? \
                     WHERE hold_id = ? AND state = 'open' AND attempts = ?",
                )
                .bind(reason_text(*reason)?)
                .bind(detail)
                .bind(json(transfer_ids, "holds.transfer_ids")?)
                .bind(next_attempt_at.map(time_text))
            }
            HoldChangeTo::Closed {
                state,
                by,
                note,
                at,
            } => sqlx::query(
                "UPDATE holds SET state = ?, closed_by = ?, note = ?, closed_at = ?, \
                 next_attempt_at = NULL WHERE hold_id = ? AND state = 'open' AND attempts = ?",
            )
            .bind(state.as_str())
            .bind(by)
            .bind(note)
            .bind(time_text(*at)),
        }
        .bind(&change.hold_id)
        .bind(change.attempts)
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }
}
