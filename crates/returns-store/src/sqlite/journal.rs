//! Reading the journal.

use std::collections::HashMap;

use returns_model::journal::JournalRow;
use sqlx::AssertSqlSafe;

use super::SqliteStore;
use crate::columns::{Columns as _, bound, failed, json, unreadable};
use crate::records::journal_row;
use crate::{Known, ReturnFilter, StoreError};

/// A row with the row that replaced it.
pub(super) const ROWS: &str = "SELECT j.position, j.hash, j.payload, j.transfer_id, j.recorded_at, \
     s.position AS superseded_by \
     FROM journal j LEFT JOIN journal s ON s.supersedes = j.position";

impl SqliteStore {
    pub(super) async fn read_rows_after(
        &self,
        position: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{ROWS} WHERE j.position > ? ORDER BY j.position LIMIT ?");
        sqlx::query(AssertSqlSafe(sql))
            .bind(bound(position)?)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the journal"))?
            .iter()
            .map(journal_row)
            .collect()
    }

    pub(super) async fn read_row(&self, position: u64) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!("{ROWS} WHERE j.position = ?");
        sqlx::query(AssertSqlSafe(sql))
            .bind(bound(position)?)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading a journal row"))?
            .as_ref()
            .map(journal_row)
            .transpose()
    }

    pub(super) async fn read_return_row(
        &self,
        return_id: &str,
    ) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.return_id = ? AND j.repeats IS NULL ORDER BY j.position DESC LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(return_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading a return"))?
            .as_ref()
            .map(journal_row)
            .transpose()
    }

    pub(super) async fn read_returns(
        &self,
        filter: &ReturnFilter,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE s.position IS NULL AND j.repeats IS NULL \
             AND (?1 IS NULL OR j.import_id = ?1) AND (?2 IS NULL OR j.transfer_id = ?2) \
             AND (?3 IS NULL OR j.code = ?3) AND (?4 IS NULL OR j.position < ?4) \
             ORDER BY j.position DESC LIMIT ?5"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(&filter.import_id)
            .bind(&filter.transfer_id)
            .bind(&filter.code)
            .bind(filter.before.map(bound).transpose()?)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing returns"))?
            .iter()
            .map(journal_row)
            .collect()
    }

    pub(super) async fn read_known(
        &self,
        transfer_ids: &[String],
        system_of_record: &str,
    ) -> Result<Known, StoreError> {
        let what = "reading what is known of transfers";
        let ids = json(&transfer_ids, "transfer ids")?;
        // One read transaction, so that rows and head are of the same moment.
        let mut tx = self.pool.begin().await.map_err(failed(what))?;
        let head = Self::read_head(&mut *tx).await?;
        let sql = format!(
            "{ROWS} WHERE j.transfer_id IN (SELECT value FROM json_each(?)) \
             AND s.position IS NULL \
             AND NOT EXISTS (SELECT 1 FROM follower_exceptions e \
                             WHERE e.name = ? AND e.position = j.position) \
             ORDER BY j.position"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(&ids)
            .bind(system_of_record)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed(what))?;
        let given = sqlx::query(
            "SELECT transfer_id, COUNT(DISTINCT return_id) AS given FROM journal \
             WHERE transfer_id IN (SELECT value FROM json_each(?)) GROUP BY transfer_id",
        )
        .bind(&ids)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(what))?;
        tx.commit().await.map_err(failed(what))?;

        let mut standing: HashMap<String, Vec<JournalRow>> = HashMap::new();
        for row in &rows {
            let row = journal_row(row)?;
            if !row.row.is_repeat() {
                let standing = standing.entry(row.row.transfer.id.clone());
                standing.or_default().push(row);
            }
        }
        let mut ids_given = HashMap::new();
        for row in &given {
            let number = usize::try_from(row.count("given")?)
                .map_err(|error| unreadable("journal.return_id", error))?;
            ids_given.insert(row.text("transfer_id")?, number);
        }
        Ok(Known {
            head_position: head.position,
            standing,
            ids_given,
        })
    }
}
