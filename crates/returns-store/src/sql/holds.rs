//! Entries that wait.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::hold::{
    HoldChange, HoldChangeTo, HoldFilter, HoldRecord, NewHold, OpenHolds, RefusedRows,
};

use super::SqlStore;
use super::append_rows::write_hold_transfers;
use super::dishonor::write_marks;
use crate::columns::{json, reason, reason_text, unreadable};
use crate::db::{Record, statement};
use crate::{HoldStore, StoreError};

pub(super) const HOLDS: &str = "SELECT hold_id, source, import_id, ordinal, reason, detail, entry, \
     transfer_ids, failed_database, failed_position, state, attempts, next_attempt_at, held_at, \
     closed_at, closed_by, note, resolved_position FROM holds";

pub(super) fn hold_record(row: &Record) -> Result<HoldRecord, StoreError> {
    let hold_id = row.text("hold_id")?;
    let place = format!("holds {hold_id}");
    let failed = match (
        row.optional_text("failed_database")?,
        row.optional_count("failed_position")?,
    ) {
        (Some(database), Some(position)) => Some((database, position)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err(unreadable(
                &place,
                "failed_database and failed_position go together",
            ));
        }
    };
    Ok(HoldRecord {
        new: NewHold {
            source: row.text("source")?,
            import_id: row.text("import_id")?,
            ordinal: row.count("ordinal")?,
            reason: reason(row)?,
            detail: row.text("detail")?,
            entry: row.json("entry", &place)?,
            transfer_ids: row.json("transfer_ids", &place)?,
            failed,
            next_attempt_at: row.optional_time("next_attempt_at")?,
            hold_id,
        },
        state: row.word("state")?,
        attempts: u32::try_from(row.count("attempts")?)
            .map_err(|error| unreadable(&place, error))?,
        held_at: row.time("held_at")?,
        closed_at: row.optional_time("closed_at")?,
        closed_by: row.optional_text("closed_by")?,
        note: row.optional_text("note")?,
        resolved_position: row.optional_count("resolved_position")?,
    })
}

#[async_trait]
impl HoldStore for SqlStore {
    async fn hold(&self, hold_id: &str) -> Result<Option<HoldRecord>, StoreError> {
        statement("read a hold", format!("{HOLDS} WHERE hold_id = $1"))
            .bind(hold_id)
            .optional(&self.db, hold_record)
            .await
    }

    async fn holds(
        &self,
        filter: &HoldFilter,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        let (after_time, after_id) = after.unzip();
        let sql = format!(
            "{HOLDS} WHERE state = $1 AND ($2 IS NULL OR import_id = $2) \
             AND ($3 IS NULL OR reason = $3) \
             AND ($4 IS NULL OR (held_at, hold_id) > ($4, $5)) \
             AND ($6 IS NULL OR hold_id IN \
                  (SELECT t.hold_id FROM hold_transfers t WHERE t.transfer_id = $6)) \
             AND ($7 IS NULL OR source = $7) AND ($8 IS NULL OR code = $8) \
             AND ($9 IS NULL OR held_at < $9) \
             ORDER BY held_at, hold_id LIMIT $10"
        );
        statement("list holds", sql)
            .bind(filter.state.as_str())
            .bind(&filter.import_id)
            .bind(filter.reason.map(reason_text).transpose()?)
            .bind(after_time)
            .bind(after_id)
            .bind(&filter.transfer_id)
            .bind(&filter.source)
            .bind(&filter.code)
            .bind(filter.held_before)
            .bind(limit)
            .list(&self.db, hold_record)
            .await
    }

    async fn due_holds(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<HoldRecord>, StoreError> {
        let sql = format!(
            "{HOLDS} WHERE state = 'open' AND next_attempt_at <= $1 \
             ORDER BY next_attempt_at, hold_id LIMIT $2"
        );
        statement("list due holds", sql)
            .bind(now)
            .bind(limit)
            .list(&self.db, hold_record)
            .await
    }

    async fn open_holds(&self) -> Result<u64, StoreError> {
        statement(
            "count open holds",
            "SELECT COUNT(*) AS open FROM holds WHERE state = 'open'",
        )
        .one(&self.db, |row| row.count("open"))
        .await
    }

    async fn open_holds_by_import(&self) -> Result<Vec<OpenHolds>, StoreError> {
        let sql = "SELECT import_id, reason, COUNT(*) AS held, \
             CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) AS amount_minor, \
             MIN(held_at) AS oldest_held_at FROM holds WHERE state = 'open' \
             GROUP BY import_id, reason ORDER BY held DESC, import_id, reason";
        statement("count open holds by import", sql)
            .list(&self.db, |row| {
                Ok(OpenHolds {
                    import_id: row.text("import_id")?,
                    reason: reason(row)?,
                    count: row.count("held")?,
                    amount_minor: i64::try_from(row.count("amount_minor")?).unwrap_or(i64::MAX),
                    oldest_held_at: row.time("oldest_held_at")?,
                })
            })
            .await
    }

    async fn refused_rows(&self, database: &str) -> Result<Option<RefusedRows>, StoreError> {
        const REFUSED: &str = "FROM holds WHERE state = 'open' AND reason = 'database_refused' \
             AND failed_database = $1";
        let sql = format!(
            "SELECT detail, (SELECT COUNT(*) {REFUSED}) AS refused {REFUSED} \
             ORDER BY held_at DESC, hold_id DESC LIMIT 1"
        );
        statement("count what a database refuses", sql)
            .bind(database)
            .optional(&self.db, |row| {
                Ok(RefusedRows {
                    count: row.count("refused")?,
                    detail: row.text("detail")?,
                })
            })
            .await
    }

    async fn change_hold(&self, change: &HoldChange) -> Result<bool, StoreError> {
        let what = "change a hold";
        let update = match &change.to {
            HoldChangeTo::StillOpen {
                reason,
                detail,
                transfer_ids,
                next_attempt_at,
                ..
            } => statement(
                what,
                "UPDATE holds SET attempts = attempts + 1, reason = $1, detail = $2, \
                 transfer_ids = $3, next_attempt_at = $4 \
                 WHERE hold_id = $5 AND state = 'open' AND attempts = $6",
            )
            .bind(reason_text(*reason)?)
            .bind(detail)
            .bind(json(transfer_ids, "holds.transfer_ids")?)
            .bind(*next_attempt_at),
            HoldChangeTo::Closed {
                state,
                by,
                note,
                at,
            } => statement(
                what,
                "UPDATE holds SET state = $1, closed_by = $2, note = $3, closed_at = $4, \
                 next_attempt_at = NULL WHERE hold_id = $5 AND state = 'open' AND attempts = $6",
            )
            .bind(state.as_str())
            .bind(by)
            .bind(note)
            .bind(*at),
        };
        let mut tx = self.db.begin(what).await?;
        let changed = update
            .bind(&change.hold_id)
            .bind(change.attempts)
            .execute(&mut tx)
            .await?;
        if changed != 1 {
            return Ok(false);
        }
        if let HoldChangeTo::StillOpen {
            transfer_ids,
            dishonor,
            at,
            ..
        } = &change.to
        {
            let pairs = [(&*change.hold_id, &**transfer_ids)];
            write_hold_transfers(&mut tx, pairs.into_iter()).await?;
            write_marks(&mut tx, dishonor, *at).await?;
        }
        tx.commit(what).await?;
        Ok(true)
    }
}
