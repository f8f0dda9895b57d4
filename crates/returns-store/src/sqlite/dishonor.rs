//! Returns that our bank may dishonor.

use std::ops::Range;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::dishonor::{DishonorFilter, DishonorPlace, DishonorRecord, Marks};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::SqliteStore;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::dishonor::{DishonorStore, dishonor_record};

const MARKS: &str = "SELECT import_id, ordinal, line, transfer_id, return_id, hold_id, code, \
     fields, last_day, why, others, amount_minor, currency, return_code, settled_on, marked_at \
     FROM dishonorable";

/// Takes back the marks of returns.
pub(super) async fn drop_marks(
    tx: &mut Transaction<'_, Sqlite>,
    return_ids: &[&str],
) -> Result<(), StoreError> {
    for return_id in return_ids {
        sqlx::query("DELETE FROM dishonorable WHERE return_id = ?")
            .bind(return_id)
            .execute(&mut **tx)
            .await
            .map_err(failed("taking a dishonor mark back"))?;
    }
    Ok(())
}

/// Writes what a decision says of marks, in the decision's own transaction.
pub(super) async fn write_marks(
    tx: &mut Transaction<'_, Sqlite>,
    marks: &Marks,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for (import_id, ordinal) in &marks.cleared {
        sqlx::query("DELETE FROM dishonorable WHERE import_id = ? AND ordinal = ?")
            .bind(import_id)
            .bind(bound(*ordinal)?)
            .execute(&mut **tx)
            .await
            .map_err(failed("taking a dishonor mark back"))?;
    }
    for mark in &marks.set {
        sqlx::query(
            "INSERT OR REPLACE INTO dishonorable (import_id, ordinal, line, transfer_id, \
             return_id, hold_id, code, fields, last_day, why, others, amount_minor, currency, \
             return_code, settled_on, marked_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&mark.import_id)
        .bind(bound(mark.ordinal)?)
        .bind(bound(mark.line)?)
        .bind(&mark.transfer_id)
        .bind(&mark.return_id)
        .bind(&mark.hold_id)
        .bind(mark.ground.code.as_str())
        .bind(&mark.ground.fields)
        .bind(mark.ground.last_day.to_string())
        .bind(&mark.ground.why)
        .bind(json(&mark.others, "dishonorable.others")?)
        .bind(mark.amount.map(ach::money::Money::minor))
        .bind(mark.amount.map(|amount| amount.currency().to_string()))
        .bind(&mark.return_code)
        .bind(mark.settled_on.map(|day| day.to_string()))
        .bind(time_text(at))
        .execute(&mut **tx)
        .await
        .map_err(failed("marking a return as dishonorable"))?;
    }
    Ok(())
}

#[async_trait]
impl DishonorStore for SqliteStore {
    async fn dishonorable(
        &self,
        filter: &DishonorFilter,
        after: Option<DishonorPlace>,
        limit: u32,
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let (day, import_id, ordinal) = match after {
            Some((day, import_id, ordinal)) => (
                Some(day.to_string()),
                Some(import_id),
                Some(bound(ordinal)?),
            ),
            None => (None, None, None),
        };
        let sql = format!(
            "{MARKS} WHERE (?1 IS NULL OR last_day >= ?1) AND (?2 IS NULL OR import_id = ?2) \
             AND (?3 IS NULL OR transfer_id = ?3) \
             AND (?4 IS NULL OR (last_day, import_id, ordinal) > (?4, ?5, ?6)) \
             ORDER BY last_day, import_id, ordinal LIMIT ?7"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(filter.open_on.map(|day| day.to_string()))
            .bind(&filter.import_id)
            .bind(&filter.transfer_id)
            .bind(day)
            .bind(import_id)
            .bind(ordinal)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing dishonorable returns"))?
            .iter()
            .map(dishonor_record)
            .collect()
    }

    async fn dishonorable_returns(
        &self,
        return_ids: &[String],
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let sql = format!("{MARKS} WHERE return_id IN (SELECT value FROM json_each(?1))");
        sqlx::query(AssertSqlSafe(sql))
            .bind(json(&return_ids, "return ids")?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the dishonor marks of returns"))?
            .iter()
            .map(dishonor_record)
            .collect()
    }

    async fn dishonorable_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DishonorRecord>, StoreError> {
        let sql = format!(
            "{MARKS} WHERE import_id = ?1 AND ordinal >= ?2 AND ordinal < ?3 ORDER BY ordinal"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(import_id)
            .bind(bound(ordinals.start)?)
            .bind(bound(ordinals.end)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading an import's dishonor marks"))?
            .iter()
            .map(dishonor_record)
            .collect()
    }
}
