//! What the report of an import is written from.

use std::ops::Range;

use async_trait::async_trait;
use returns_model::follower::RowException;
use returns_model::hold::HoldRecord;
use returns_model::import::RejectedLine;
use returns_model::journal::JournalRow;

use super::SqlStore;
use super::followers::row_exception;
use super::holds::{HOLDS, hold_record};
use super::import_rows::rejected_line;
use super::journal::{ROWS, journal_row};
use crate::columns::{bound, bounds, from_json};
use crate::db::{Record, Statement, statement};
use crate::{DuplicateLine, PrenoteLine, ReportStore, StoreError};

/// The condition on some entries of an import.
const ENTRIES: &str = "import_id = $1 AND ordinal >= $2 AND ordinal < $3";

/// Binds what [`ENTRIES`] asks for.
fn of_entries(
    statement: Statement,
    import_id: &str,
    ordinals: &Range<u64>,
) -> Result<Statement, StoreError> {
    Ok(statement
        .bind(import_id)
        .bind(bound(ordinals.start)?)
        .bind(bound(ordinals.end)?))
}

fn duplicate_line(row: &Record) -> Result<DuplicateLine, StoreError> {
    Ok(DuplicateLine {
        ordinal: row.count("ordinal")?,
        line: row.count("line")?,
        transfer_id: row.text("transfer_id")?,
        of_return_id: row.text("of_return_id")?,
        entry: row
            .optional_text("entry")?
            .map(|entry| from_json(&entry, "import_duplicates.entry"))
            .transpose()?,
    })
}

#[async_trait]
impl ReportStore for SqlStore {
    async fn first_rows(
        &self,
        import_id: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "{ROWS} WHERE j.import_id = $1 AND j.position > $2 \
             AND j.supersedes IS NULL AND j.repeats IS NULL \
             AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.resolved_position = j.position) \
             ORDER BY j.position LIMIT $3"
        );
        statement("read an import's journal rows", sql)
            .bind(import_id)
            .bind(bound(after)?)
            .bind(limit)
            .list(&self.db, journal_row)
            .await
    }

    async fn rows_at(&self, positions: &[u64]) -> Result<Vec<JournalRow>, StoreError> {
        let these = self.db.syntax().one_of("$1");
        let sql = format!("{ROWS} WHERE j.position {these} ORDER BY j.position");
        statement("read journal rows", sql)
            .bind(bounds(positions)?)
            .list(&self.db, journal_row)
            .await
    }

    async fn exceptions_at(
        &self,
        positions: &[u64],
    ) -> Result<Vec<(String, RowException)>, StoreError> {
        let sql = format!(
            "SELECT name, position, kind, message FROM follower_exceptions \
             WHERE position {} ORDER BY position, name",
            self.db.syntax().one_of("$1")
        );
        statement("list exceptions", sql)
            .bind(bounds(positions)?)
            .list(&self.db, |row| Ok((row.text("name")?, row_exception(row)?)))
            .await
    }

    async fn holds_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        let sql = format!("{HOLDS} WHERE {ENTRIES} ORDER BY ordinal, held_at, hold_id");
        of_entries(
            statement("read an import's holds", sql),
            import_id,
            &ordinals,
        )?
        .list(&self.db, hold_record)
        .await
    }

    async fn duplicates_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<DuplicateLine>, StoreError> {
        let sql = format!(
            "SELECT ordinal, line, transfer_id, of_return_id, entry FROM import_duplicates \
             WHERE {ENTRIES} ORDER BY ordinal"
        );
        of_entries(
            statement("read an import's duplicates", sql),
            import_id,
            &ordinals,
        )?
        .list(&self.db, duplicate_line)
        .await
    }

    async fn prenotes_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<PrenoteLine>, StoreError> {
        let sql =
            format!("SELECT ordinal, entry FROM import_prenotes WHERE {ENTRIES} ORDER BY ordinal");
        let read = |row: &Record| {
            Ok(PrenoteLine {
                ordinal: row.count("ordinal")?,
                entry: row.json("entry", "import_prenotes.entry")?,
            })
        };
        of_entries(
            statement("read an import's prenotes", sql),
            import_id,
            &ordinals,
        )?
        .list(&self.db, read)
        .await
    }

    async fn rejected_of(
        &self,
        import_id: &str,
        ordinals: Range<u64>,
    ) -> Result<Vec<RejectedLine>, StoreError> {
        let sql = format!(
            "SELECT ordinal, rejected FROM import_rejected_lines \
             WHERE {ENTRIES} ORDER BY ordinal"
        );
        let what = "read an import's unreadable lines";
        of_entries(statement(what, sql), import_id, &ordinals)?
            .list(&self.db, rejected_line)
            .await
    }
}
