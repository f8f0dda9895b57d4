//! Entries that wait.

use chrono::{DateTime, Utc};
use returns_model::hold::{HoldChange, HoldChangeTo, HoldFilter, HoldRecord};
use sqlx::{AssertSqlSafe, Row as _};

use super::PgStore;
use super::codec::{clean, clean_all, clean_option};
use super::dishonor::write_marks;
use crate::StoreError;
use crate::columns::{Columns as _, failed, json, reason_text};
use crate::records::hold_record;

pub(super) const HOLDS: &str = "SELECT hold_id, source, import_id, ordinal, reason, detail, entry, \
     transfer_ids, failed_database, failed_position, state, attempts, next_attempt_at, held_at, \
     closed_at, closed_by, note, resolved_position FROM holds";

impl PgStore {
    pub(super) async fn read_hold(&self, hold_id: &str) -> Result<Option<HoldRecord>, StoreError> {
        let sql = format!("{HOLDS} WHERE hold_id = $1");
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean(hold_id))
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
        let (after_time, after_id) = after.unzip();
        let sql = format!(
            "{HOLDS} WHERE state = $1 AND ($2::text IS NULL OR import_id = $2) \
             AND ($3::text IS NULL OR reason = $3) \
             AND ($4::timestamptz IS NULL OR (held_at, hold_id) > ($4, $5)) \
             AND ($6::text IS NULL OR hold_id IN \
                  (SELECT t.hold_id FROM hold_transfers t WHERE t.transfer_id = $6)) \
             ORDER BY held_at, hold_id LIMIT $7"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(filter.state.as_str())
            .bind(clean_option(filter.import_id.as_deref()))
            .bind(filter.reason.map(reason_text).transpose()?)
            .bind(after_time)
            .bind(clean_option(after_id.as_deref()))
            .bind(clean_option(filter.transfer_id.as_deref()))
            .bind(i64::from(limit))
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
            "{HOLDS} WHERE state = 'open' AND next_attempt_at <= $1 \
             ORDER BY next_attempt_at, hold_id LIMIT $2"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing due holds"))?
            .iter()
            .map(hold_record)
            .collect()
    }

    pub(super) async fn count_open_holds(&self) -> Result<u64, StoreError> {
        sqlx::query("SELECT COUNT(*) AS open FROM holds WHERE state = 'open'")
            .fetch_one(&self.pool)
            .await
            .map_err(failed("counting open holds"))?
            .count("open")
    }

    pub(super) async fn write_hold_change(&self, change: &HoldChange) -> Result<bool, StoreError> {
        let query = match &change.to {
            HoldChangeTo::StillOpen {
                reason,
                detail,
                transfer_ids,
                next_attempt_at,
                ..
            } => sqlx::query(
                "WITH changed AS ( \
                     UPDATE holds SET attempts = attempts + 1, reason = $3, detail = $4, \
                         transfer_ids = $5, next_attempt_at = $6 \
                     WHERE hold_id = $1 AND state = 'open' AND attempts = $2 RETURNING hold_id), \
                 linked AS ( \
                     INSERT INTO hold_transfers (transfer_id, hold_id) \
                     SELECT t, hold_id FROM changed, UNNEST($7::text[]) AS t \
                     ON CONFLICT DO NOTHING) \
                 SELECT COUNT(*) FROM changed",
            )
            .bind(&change.hold_id)
            .bind(i64::from(change.attempts))
            .bind(reason_text(*reason)?)
            .bind(clean(detail))
            .bind(json(transfer_ids, "holds.transfer_ids")?)
            .bind(next_attempt_at)
            .bind(clean_all(transfer_ids)),
            HoldChangeTo::Closed {
                state,
                by,
                note,
                at,
            } => sqlx::query(
                "WITH changed AS ( \
                     UPDATE holds SET state = $3, closed_by = $4, note = $5, closed_at = $6, \
                         next_attempt_at = NULL \
                     WHERE hold_id = $1 AND state = 'open' AND attempts = $2 RETURNING 1) \
                 SELECT COUNT(*) FROM changed",
            )
            .bind(&change.hold_id)
            .bind(i64::from(change.attempts))
            .bind(state.as_str())
            .bind(clean(by))
            .bind(clean(note))
            .bind(at),
        };
        let what = "changing a hold";
        let mut tx = self.pool.begin().await.map_err(failed(what))?;
        let changed: i64 = query
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(what))?;
        if changed != 1 {
            return Ok(false);
        }
        if let HoldChangeTo::StillOpen { dishonor, at, .. } = &change.to {
            write_marks(&mut tx, dishonor, *at).await?;
        }
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }
}
