//! What the check of the returns database reads.

use std::ops::Range;

use async_trait::async_trait;
use returns_model::journal::{Hash, JournalRow, RowColumns, StoredRow};

use super::SqlStore;
use super::journal::{ROWS, journal_row};
use crate::columns::bound;
use crate::db::{Record, statement};
use crate::{CountedImport, HoldColumns, RowRange, StoreError, VerifyStore};

/// What an import says about its rows, and what is there.
const COUNTED: &str = "SELECT i.import_id, i.row_count, i.first_position, i.last_position, \
     (SELECT COUNT(*) FROM journal j WHERE j.import_id = i.import_id) AS rows_there, \
     (SELECT COALESCE(MIN(j.position), 0) FROM journal j WHERE j.import_id = i.import_id) \
         AS first_there, \
     (SELECT COALESCE(MAX(j.position), 0) FROM journal j WHERE j.import_id = i.import_id) \
         AS last_there, \
     (SELECT CAST(COALESCE(SUM(s.last_position - s.first_position + 1), 0) AS BIGINT) \
         FROM import_stretches s WHERE s.import_id = i.import_id) AS stretched, \
     (SELECT COUNT(*) FROM import_stretches s JOIN journal j ON j.import_id = s.import_id \
         AND j.position BETWEEN s.first_position AND s.last_position \
         WHERE s.import_id = i.import_id) AS in_stretches, \
     (SELECT COUNT(*) FROM holds h WHERE h.import_id = i.import_id) AS holds, \
     (SELECT COUNT(*) FROM import_duplicates d WHERE d.import_id = i.import_id) AS duplicates, \
     (SELECT COUNT(*) FROM import_prenotes p WHERE p.import_id = i.import_id) AS prenotes, \
     (SELECT COUNT(*) FROM import_rejected_lines r WHERE r.import_id = i.import_id) AS rejected \
     FROM imports i WHERE i.import_id > $1 ORDER BY i.import_id LIMIT $2";

fn stored_row(record: &Record) -> Result<StoredRow, StoreError> {
    Ok(StoredRow {
        position: record.count("position")?,
        hash: Hash::from_bytes(record.bytes("hash")?),
        payload: record.text("payload")?,
        columns: RowColumns {
            transfer_id: record.text("transfer_id")?,
            return_id: record.text("return_id")?,
            code: record.optional_text("code")?,
            import_id: record.text("import_id")?,
            supersedes: record.optional_count("supersedes")?,
            repeats: record.optional_count("repeats")?,
        },
        recorded_at: record.time("recorded_at")?,
    })
}

fn counted_import(record: &Record) -> Result<CountedImport, StoreError> {
    let range = |rows, first, last| -> Result<RowRange, StoreError> {
        Ok(RowRange {
            rows: record.count(rows)?,
            first: record.count(first)?,
            last: record.count(last)?,
        })
    };
    Ok(CountedImport {
        import_id: record.text("import_id")?,
        recorded: range("row_count", "first_position", "last_position")?,
        counted: range("rows_there", "first_there", "last_there")?,
        stretched: record.count("stretched")?,
        in_stretches: record.count("in_stretches")?,
        holds: record.count("holds")?,
        duplicates: record.count("duplicates")?,
        prenotes: record.count("prenotes")?,
        rejected: record.count("rejected")?,
    })
}

#[async_trait]
impl VerifyStore for SqlStore {
    async fn stored_rows(&self, after: u64, limit: u32) -> Result<Vec<StoredRow>, StoreError> {
        statement(
            "read the journal's columns",
            "SELECT position, hash, payload, transfer_id, return_id, code, import_id, supersedes, \
             repeats, recorded_at FROM journal WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(bound(after)?)
        .bind(limit)
        .list(&self.db, stored_row)
        .await
    }

    async fn counted_imports(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<CountedImport>, StoreError> {
        statement("count the rows of imports", COUNTED)
            .bind(after)
            .bind(limit)
            .list(&self.db, counted_import)
            .await
    }

    async fn hold_columns(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<HoldColumns>, StoreError> {
        statement(
            "read the columns of holds",
            "SELECT hold_id, code, amount_minor FROM holds \
             WHERE import_id = $1 AND ordinal >= $2 AND ordinal < $3",
        )
        .bind(import_id)
        .bind(bound(ordinals.start)?)
        .bind(bound(ordinals.end)?)
        .list(&self.db, |row| {
            Ok(HoldColumns {
                hold_id: row.text("hold_id")?,
                code: row.optional_text("code")?,
                amount_minor: row.optional_number("amount_minor")?,
            })
        })
        .await
    }

    async fn rows_of(&self, transfer_ids: &[String]) -> Result<Vec<JournalRow>, StoreError> {
        let these = self.db.syntax().one_of("$1");
        let sql = format!("{ROWS} WHERE j.transfer_id {these} ORDER BY j.position");
        statement("read the rows of transfers", sql)
            .bind(transfer_ids)
            .list(&self.db, journal_row)
            .await
    }
}
