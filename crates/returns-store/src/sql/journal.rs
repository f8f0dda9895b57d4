//! Reading the journal.

use std::collections::HashSet;

use async_trait::async_trait;
use returns_model::journal::{Hash, Head, JournalRow, Row};

use super::SqlStore;
use crate::columns::{bound, from_json, unreadable};
use crate::db::{On, Record, statement};
use crate::{JournalStore, Known, ReturnFilter, StoreError};

/// A row with the row that replaced it. A subquery and no join: it goes by the index, whatever the
/// server knows of a journal that has just grown.
pub(super) const ROWS: &str = "SELECT j.position, j.hash, j.payload, j.transfer_id, j.recorded_at, \
     (SELECT s.position FROM journal s WHERE s.supersedes = j.position) AS superseded_by \
     FROM journal j";

pub(super) fn journal_row(record: &Record) -> Result<JournalRow, StoreError> {
    let position = record.count("position")?;
    let place = format!("journal position {position}");
    let payload = record.text("payload")?;
    let row: Row = from_json(&payload, &place)?;
    if row.schema != Row::SCHEMA {
        return Err(unreadable(
            &place,
            format!("schema {} is not known", row.schema),
        ));
    }
    if row.transfer.id != record.text("transfer_id")? {
        return Err(unreadable(
            &place,
            "its transfer_id column is not what its payload says",
        ));
    }
    Ok(JournalRow {
        position,
        hash: Hash::from_bytes(record.bytes("hash")?),
        payload,
        row,
        recorded_at: record.time("recorded_at")?,
        superseded_by: record.optional_count("superseded_by")?,
    })
}

/// Reads the journal's end; `lock` is what the statement ends with.
pub(super) async fn read_head(on: impl Into<On<'_>>, lock: &str) -> Result<Head, StoreError> {
    let sql = format!("SELECT journal_id, position, hash FROM journal_head {lock}");
    statement("read the journal's head", sql)
        .one(on, |record| {
            let id = record.text("journal_id")?;
            Ok(Head {
                journal_id: id.parse().map_err(|_| {
                    unreadable("journal_head.journal_id", format!("{id:?} is not a UUID"))
                })?,
                position: record.count("position")?,
                hash: Hash::from_bytes(record.bytes("hash")?),
            })
        })
        .await
}

#[async_trait]
impl JournalStore for SqlStore {
    async fn head(&self) -> Result<Head, StoreError> {
        read_head(&self.db, "").await
    }

    /// One statement sees one moment. Without a row there is still the head, and never more than
    /// one: as a value, it lets PostgreSQL expect no more either.
    async fn known(
        &self,
        transfer_ids: &[String],
        system_of_record: &str,
    ) -> Result<Known, StoreError> {
        let sql = format!(
            "SELECT h.position AS head_position, j.position, j.hash, j.payload, j.transfer_id, \
             j.return_id, j.recorded_at, \
             (SELECT s.position FROM journal s WHERE s.supersedes = j.position) AS superseded_by, \
             (SELECT e.position FROM follower_exceptions e \
                 WHERE e.name = $2 AND e.position = j.position) AS without_effect \
             FROM (SELECT (SELECT position FROM journal_head) AS position) h \
             LEFT JOIN journal j ON j.transfer_id {} \
             ORDER BY j.position",
            self.db.syntax().one_of("$1")
        );
        let rows = statement("read what is known of transfers", sql)
            .bind(transfer_ids)
            .bind(system_of_record)
            .list(&self.db, known_row)
            .await?;
        let mut known = Known::default();
        let mut given = HashSet::new();
        for (head_position, row) in rows {
            known.head_position = head_position;
            let Some(row) = row else { continue };
            if given.insert((row.transfer_id.clone(), row.return_id)) {
                *known.ids_given.entry(row.transfer_id.clone()).or_default() += 1;
            }
            if let Some(standing) = row.standing
                && !standing.row.is_repeat()
            {
                let rows = known.standing.entry(row.transfer_id);
                rows.or_default().push(standing);
            }
        }
        Ok(known)
    }

    async fn rows_after(&self, position: u64, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{ROWS} WHERE j.position > $1 ORDER BY j.position LIMIT $2");
        statement("read the journal", sql)
            .bind(bound(position)?)
            .bind(limit)
            .list(&self.db, journal_row)
            .await
    }

    async fn row(&self, position: u64) -> Result<Option<JournalRow>, StoreError> {
        statement(
            "read a journal row",
            format!("{ROWS} WHERE j.position = $1"),
        )
        .bind(bound(position)?)
        .optional(&self.db, journal_row)
        .await
    }

    async fn return_row(&self, return_id: &str) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.return_id = $1 AND j.repeats IS NULL ORDER BY j.position DESC LIMIT 1"
        );
        statement("read a return", sql)
            .bind(return_id)
            .optional(&self.db, journal_row)
            .await
    }

    async fn returns(
        &self,
        filter: &ReturnFilter,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.repeats IS NULL \
             AND NOT EXISTS (SELECT 1 FROM journal s WHERE s.supersedes = j.position) \
             AND ($1 IS NULL OR j.import_id = $1) AND ($2 IS NULL OR j.transfer_id = $2) \
             AND ($3 IS NULL OR j.code = $3) AND ($4 IS NULL OR j.position < $4) \
             AND ($5 IS NULL OR j.position < COALESCE((SELECT MIN(i.first_position) FROM imports i \
                 WHERE i.received_at >= $5 AND i.first_position > 0), $6)) \
             ORDER BY j.position DESC LIMIT $7"
        );
        statement("list returns", sql)
            .bind(&filter.import_id)
            .bind(&filter.transfer_id)
            .bind(&filter.code)
            .bind(filter.before.map(bound).transpose()?)
            .bind(filter.before_imports_since)
            .bind(i64::MAX)
            .bind(limit)
            .list(&self.db, journal_row)
            .await
    }
}

/// A row about a transfer, read whole only if it stands.
struct KnownRow {
    transfer_id: String,
    return_id: String,
    standing: Option<JournalRow>,
}

/// The head's position, and a row if there is one.
fn known_row(record: &Record) -> Result<(u64, Option<KnownRow>), StoreError> {
    let head_position = record.count("head_position")?;
    let Some(return_id) = record.optional_text("return_id")? else {
        return Ok((head_position, None));
    };
    let stands = record.optional_count("superseded_by")?.is_none()
        && record.optional_count("without_effect")?.is_none();
    let standing = stands.then(|| journal_row(record)).transpose()?;
    let row = KnownRow {
        transfer_id: record.text("transfer_id")?,
        return_id,
        standing,
    };
    Ok((head_position, Some(row)))
}
