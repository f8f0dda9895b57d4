//! Transfers that rows of the journal make.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::journal::{JournalRow, Relation};
use returns_model::settlement::MadeTransfer;

use super::SqlStore;
use super::journal::{ROWS, journal_row};
use super::writes::{Link, made_by};
use crate::columns::bound;
use crate::db::{Insert, Record, Transaction, insert_all, statement};
use crate::{SettleStore, StoreError};

fn made_transfer(row: &Record) -> Result<MadeTransfer, StoreError> {
    Ok(MadeTransfer {
        transfer_id: row.text("transfer_id")?,
        position: row.count("position")?,
        ready_at: row.optional_time("ready_at")?,
    })
}

/// Of rows about one row, newest first, the one that makes ready what that made. What is said
/// again to one mirror does not count.
fn ready_row(rows: Vec<JournalRow>) -> Option<JournalRow> {
    rows.into_iter().find(|row| {
        row.row.effect.is_release() && matches!(row.row.relation, Some(Relation::Follows { .. }))
    })
}

#[async_trait]
impl SettleStore for SqlStore {
    async fn not_ready(
        &self,
        system_of_record: &str,
        up_to: u64,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<MadeTransfer>, StoreError> {
        statement(
            "find transfers that are not ready",
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
        .bind(limit)
        .list(&self.db, made_transfer)
        .await
    }

    async fn made_transfer(&self, transfer_id: &str) -> Result<Option<MadeTransfer>, StoreError> {
        statement(
            "read a made transfer",
            "SELECT transfer_id, position, ready_at FROM made_transfers WHERE transfer_id = $1",
        )
        .bind(transfer_id)
        .optional(&self.db, made_transfer)
        .await
    }

    async fn last_ready_row(&self, position: u64) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.transfer_id = (SELECT transfer_id FROM journal WHERE position = $1) \
             AND j.repeats = $1 ORDER BY j.position DESC"
        );
        let rows = statement("read since when a transfer is ready", sql)
            .bind(bound(position)?)
            .list(&self.db, journal_row)
            .await?;
        Ok(ready_row(rows))
    }
}

/// Notes the transfers that rows make. A row that supersedes another makes the same transfer.
pub(super) async fn write_made(
    tx: &mut Transaction,
    links: &[Link<'_>],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "note made transfers",
        table: "made_transfers",
        columns: "transfer_id, position, decided_at",
        end: "ON CONFLICT (transfer_id) DO UPDATE \
              SET position = excluded.position, decided_at = excluded.decided_at",
    };
    let rows = links.iter().filter_map(|link| {
        made_by(link.row).map(|made| vec![made.into(), link.position.into(), at.into()])
    });
    insert_all(tx, &insert, rows.collect()).await
}

/// Marks transfers as ready, each once; gives how many were not yet.
pub(super) async fn mark_ready(
    tx: &mut Transaction,
    transfer_ids: &[String],
    at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let sql = format!(
        "UPDATE made_transfers SET ready_at = $1 WHERE ready_at IS NULL AND transfer_id {}",
        tx.syntax().one_of("$2")
    );
    statement("mark transfers as ready", sql)
        .bind(at)
        .bind(transfer_ids)
        .execute(tx)
        .await
}
