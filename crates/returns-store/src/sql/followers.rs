//! How far each database is.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_service::failpoint;
use returns_model::audit::AuditRecord;
use returns_model::follower::{Fault, Progress, RowException, UnreadableRow};

use super::SqlStore;
use super::audit::append_audit;
use crate::columns::bound;
use crate::db::{Insert, Record, insert_all, statement};
use crate::{FollowerStore, StoreError, feed_lease};

pub(super) fn progress(row: &Record) -> Result<Progress, StoreError> {
    let fault = match (
        row.optional_text("fault")?,
        row.optional_time("fault_since")?,
    ) {
        (Some(what), Some(since)) => Some(Fault { what, since }),
        (None, _) | (_, None) => None,
    };
    Ok(Progress {
        position: row.count("position")?,
        fault,
    })
}

pub(super) fn row_exception(row: &Record) -> Result<RowException, StoreError> {
    Ok(RowException {
        position: row.count("position")?,
        kind: row.word("kind")?,
        message: row.text("message")?,
    })
}

fn unreadable_row(row: &Record) -> Result<UnreadableRow, StoreError> {
    let by = row.optional_text("skipped_by")?;
    let reason = row.optional_text("skipped_reason")?;
    Ok(UnreadableRow {
        position: row.count("position")?,
        why: row.text("why")?,
        skipped: by.zip(reason),
    })
}

#[async_trait]
impl FollowerStore for SqlStore {
    async fn progress(&self, database: &str) -> Result<Progress, StoreError> {
        let read = statement(
            "read a database's progress",
            "SELECT position, fault, fault_since FROM followers WHERE name = $1",
        )
        .bind(database)
        .optional(&self.db, progress)
        .await?;
        Ok(read.unwrap_or_default())
    }

    async fn all_progress(&self) -> Result<HashMap<String, Progress>, StoreError> {
        let read = statement(
            "read the progress of all databases",
            "SELECT name, position, fault, fault_since FROM followers",
        )
        .list(&self.db, |row| Ok((row.text("name")?, progress(row)?)))
        .await?;
        Ok(read.into_iter().collect())
    }

    /// Rows that are applied again, after the target was restored, may end differently. What
    /// ended the same way keeps the mark that it was dealt with.
    async fn record_progress(
        &self,
        database: &str,
        expected: u64,
        position: u64,
        exceptions: &[RowException],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let what = "record a database's progress";
        failpoint::hit("progress::before_record").await?;
        let mut tx = self.db.begin(what).await?;
        let moved = statement(
            what,
            "INSERT INTO followers (name, position, updated_at) SELECT $1, $2, $3 \
             WHERE $4 = 0 OR EXISTS (SELECT 1 FROM followers WHERE name = $1) \
             ON CONFLICT (name) DO UPDATE SET position = excluded.position, \
                 updated_at = excluded.updated_at WHERE followers.position = $4",
        )
        .bind(database)
        .bind(bound(position)?)
        .bind(at)
        .bind(bound(expected)?)
        .execute(&mut tx)
        .await?;
        if moved != 1 {
            return Ok(false);
        }
        let positions: Vec<i64> = exceptions
            .iter()
            .map(|exception| bound(exception.position))
            .collect::<Result<_, _>>()?;
        let gone = format!(
            "DELETE FROM follower_exceptions WHERE name = $1 AND position > $2 AND position {}",
            tx.syntax().none_of("$3")
        );
        statement(what, gone)
            .bind(database)
            .bind(bound(expected.min(position))?)
            .bind(positions)
            .execute(&mut tx)
            .await?;
        let insert = Insert {
            what,
            table: "follower_exceptions",
            columns: "name, position, kind, message, recorded_at",
            end: "ON CONFLICT (name, position) DO NOTHING",
        };
        let rows = exceptions.iter().map(|exception| {
            Ok(vec![
                database.into(),
                bound(exception.position)?.into(),
                exception.kind.as_str().into(),
                (&exception.message).into(),
                at.into(),
            ])
        });
        insert_all(&mut tx, &insert, rows.collect::<Result<_, StoreError>>()?).await?;
        tx.commit(what).await?;
        failpoint::hit("progress::after_record").await?;
        Ok(true)
    }

    async fn record_fault(
        &self,
        database: &str,
        owner: &str,
        fault: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        statement(
            "record a feed's fault",
            "INSERT INTO followers (name, position, updated_at, fault, fault_since) \
             SELECT $1, 0, $3, $2, CASE WHEN $2 IS NULL THEN NULL ELSE $3 END \
             FROM leases WHERE name = $4 AND owner = $5 \
             ON CONFLICT (name) DO UPDATE SET fault = excluded.fault, \
                 fault_since = CASE WHEN excluded.fault IS NULL THEN NULL \
                     ELSE COALESCE(followers.fault_since, excluded.fault_since) END",
        )
        .bind(database)
        .bind(fault)
        .bind(at)
        .bind(feed_lease(database))
        .bind(owner)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn open_exceptions(
        &self,
        database: &str,
        limit: u32,
    ) -> Result<Vec<RowException>, StoreError> {
        statement(
            "list open exceptions",
            "SELECT position, kind, message FROM follower_exceptions \
             WHERE name = $1 AND NOT handled ORDER BY position LIMIT $2",
        )
        .bind(database)
        .bind(limit)
        .list(&self.db, row_exception)
        .await
    }

    async fn exceptions(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<RowException>, StoreError> {
        statement(
            "list exceptions",
            "SELECT position, kind, message FROM follower_exceptions \
             WHERE name = $1 AND position > $2 AND position <= $3 ORDER BY position",
        )
        .bind(database)
        .bind(bound(after)?)
        .bind(bound(to)?)
        .list(&self.db, row_exception)
        .await
    }
    async fn record_unreadable(
        &self,
        database: &str,
        position: u64,
        why: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        statement(
            "record an unreadable row",
            "INSERT INTO unreadable_rows (name, position, why, found_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name, position) DO NOTHING",
        )
        .bind(database)
        .bind(bound(position)?)
        .bind(why)
        .bind(at)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn unreadable_rows(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<UnreadableRow>, StoreError> {
        statement(
            "list unreadable rows",
            "SELECT position, why, skipped_by, skipped_reason FROM unreadable_rows \
             WHERE name = $1 AND position > $2 AND position <= $3 ORDER BY position",
        )
        .bind(database)
        .bind(bound(after)?)
        .bind(bound(to)?)
        .list(&self.db, unreadable_row)
        .await
    }

    async fn skip_row(
        &self,
        database: &str,
        position: u64,
        decision: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let what = "skip an unreadable row";
        let mut tx = self.db.begin(what).await?;
        let skipped = statement(
            what,
            "UPDATE unreadable_rows SET skipped_at = $3, skipped_by = $4, skipped_reason = $5 \
             WHERE name = $1 AND position = $2 AND skipped_at IS NULL",
        )
        .bind(database)
        .bind(bound(position)?)
        .bind(decision.at)
        .bind(&decision.identity)
        .bind(&decision.reason)
        .execute(&mut tx)
        .await?;
        if skipped != 1 {
            return Ok(false);
        }
        append_audit(&mut tx, decision).await?;
        tx.commit(what).await?;
        Ok(true)
    }
}
