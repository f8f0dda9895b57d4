//! Reading the journal.

use std::collections::{HashMap, HashSet};

use returns_model::journal::JournalRow;
use sqlx::AssertSqlSafe;

use super::PgStore;
use super::codec::{clean, clean_all, clean_option};
use crate::columns::{Columns as _, bound, failed};
use crate::records::journal_row;
use crate::{Known, ReturnFilter, StoreError};

/// A row with the row that replaced it.
pub(super) const ROWS: &str = "SELECT j.position, j.hash, j.payload, j.transfer_id, j.recorded_at, \
     s.position AS superseded_by \
     FROM journal j LEFT JOIN journal s ON s.supersedes = j.position";

/// Every row of some transfers, and the head of the same moment: one statement sees one
/// state. Without a row there is still the head.
const KNOWN: &str = "SELECT h.position AS head_position, j.position, j.hash, j.payload, \
     j.transfer_id, j.return_id, j.recorded_at, s.position AS superseded_by, \
     (s.position IS NULL AND e.position IS NULL) AS stands \
     FROM (SELECT (SELECT position FROM journal_head) AS position) h \
     LEFT JOIN journal j ON j.transfer_id = ANY($1) \
     LEFT JOIN journal s ON s.supersedes = j.position \
     LEFT JOIN follower_exceptions e ON e.name = $2 AND e.position = j.position \
     ORDER BY j.position";

impl PgStore {
    pub(super) async fn read_rows_after(
        &self,
        position: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{ROWS} WHERE j.position > $1 ORDER BY j.position LIMIT $2");
        sqlx::query(AssertSqlSafe(sql))
            .bind(bound(position)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the journal"))?
            .iter()
            .map(journal_row)
            .collect()
    }

    pub(super) async fn read_row(&self, position: u64) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!("{ROWS} WHERE j.position = $1");
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
            "{ROWS} WHERE j.return_id = $1 AND j.repeats IS NULL ORDER BY j.position DESC LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean(return_id))
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
             AND ($1::text IS NULL OR j.import_id = $1) \
             AND ($2::text IS NULL OR j.transfer_id = $2) \
             AND ($3::text IS NULL OR j.code = $3) \
             AND ($4::bigint IS NULL OR j.position < $4) \
             ORDER BY j.position DESC LIMIT $5"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean_option(filter.import_id.as_deref()))
            .bind(clean_option(filter.transfer_id.as_deref()))
            .bind(clean_option(filter.code.as_deref()))
            .bind(filter.before.map(bound).transpose()?)
            .bind(i64::from(limit))
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
        let rows = sqlx::query(KNOWN)
            .bind(clean_all(transfer_ids))
            .bind(system_of_record)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading what is known of transfers"))?;
        let mut known = Known::default();
        let mut given: HashMap<String, HashSet<String>> = HashMap::new();
        for row in &rows {
            known.head_position = row.count("head_position")?;
            let Some(return_id) = row.optional_text("return_id")? else {
                continue;
            };
            let transfer_id = row.text("transfer_id")?;
            if row.flag("stands")? {
                let row = journal_row(row)?;
                if !row.row.is_repeat() {
                    let standing = known.standing.entry(transfer_id.clone());
                    standing.or_default().push(row);
                }
            }
            given.entry(transfer_id).or_default().insert(return_id);
        }
        known.ids_given = given
            .into_iter()
            .map(|(transfer_id, ids)| (transfer_id, ids.len()))
            .collect();
        Ok(known)
    }
}
