//! Made transfers in PostgreSQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::journal::JournalRow;
use returns_model::settlement::MadeTransfer;
use sqlx::{AssertSqlSafe, PgConnection};

use super::PgStore;
use super::codec::clean;
use super::journal::ROWS;
use crate::StoreError;
use crate::columns::{bound, failed};
use crate::records::{journal_row, made_transfer};
use crate::settle::{SettleStore, ready_row};
use crate::writes::{Link, made_by};

#[async_trait]
impl SettleStore for PgStore {
    async fn not_ready(
        &self,
        system_of_record: &str,
        up_to: u64,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MadeTransfer>, StoreError> {
        sqlx::query(
            "SELECT m.transfer_id, m.position, m.ready_at FROM made_transfers m \
             WHERE m.ready_at IS NULL AND m.decided_at < $1 AND m.position <= $2 \
             AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                 WHERE e.name = $3 AND e.position = m.position) \
             AND NOT EXISTS (SELECT 1 FROM journal s WHERE s.supersedes = m.position) \
             ORDER BY m.decided_at, m.position LIMIT $4",
        )
        .bind(before)
        .bind(bound(up_to)?)
        .bind(system_of_record)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("looking for transfers that are not ready"))?
        .iter()
        .map(made_transfer)
        .collect()
    }

    async fn made_transfer(&self, transfer_id: &str) -> Result<Option<MadeTransfer>, StoreError> {
        sqlx::query(
            "SELECT transfer_id, position, ready_at FROM made_transfers WHERE transfer_id = $1",
        )
        .bind(clean(transfer_id))
        .fetch_optional(&self.pool)
        .await
        .map_err(failed("reading a made transfer"))?
        .as_ref()
        .map(made_transfer)
        .transpose()
    }

    async fn last_ready_row(&self, position: u64) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.transfer_id = (SELECT transfer_id FROM journal WHERE position = $1) \
             AND j.repeats = $1 ORDER BY j.position DESC"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(bound(position)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading since when a transfer is ready"))?;
        let rows: Vec<JournalRow> = rows.iter().map(journal_row).collect::<Result<_, _>>()?;
        Ok(ready_row(rows))
    }
}

/// Notes the transfers that rows make. A row that supersedes another makes the same transfer.
pub(super) async fn write_made(
    tx: &mut PgConnection,
    links: &[Link<'_>],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (ids, positions): (Vec<&str>, Vec<i64>) = links
        .iter()
        .filter_map(|link| made_by(link.row).map(|made| (made, link.position)))
        .unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO made_transfers (transfer_id, position, decided_at) \
         SELECT m.*, $3 FROM UNNEST($1::text[], $2::bigint[]) AS m \
         ON CONFLICT (transfer_id) DO UPDATE \
         SET position = excluded.position, decided_at = excluded.decided_at",
    )
    .bind(ids)
    .bind(positions)
    .bind(at)
    .execute(tx)
    .await
    .map_err(failed("noting made transfers"))?;
    Ok(())
}

/// Marks transfers as ready, each once; gives how many were not yet.
pub(super) async fn mark_ready(
    tx: &mut PgConnection,
    transfer_ids: &[String],
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sqlx::query(
        "UPDATE made_transfers SET ready_at = $1 WHERE ready_at IS NULL AND transfer_id = ANY($2)",
    )
    .bind(at)
    .bind(transfer_ids)
    .execute(tx)
    .await
    .map(|done| done.rows_affected())
    .map_err(failed("marking transfers as ready"))
}
