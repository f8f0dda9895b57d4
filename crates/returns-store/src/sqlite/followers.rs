//! How far each database is.

use chrono::{DateTime, Utc};
use returns_model::follower::{Progress, RowException};

use super::SqliteStore;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::follower::feed_lease;
use crate::records::{progress, row_exception};

impl SqliteStore {
    pub(super) async fn read_progress(&self, database: &str) -> Result<Progress, StoreError> {
        sqlx::query("SELECT position, fault, fault_since FROM followers WHERE name = ?")
            .bind(database)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading a database's progress"))?
            .as_ref()
            .map_or_else(|| Ok(Progress::default()), progress)
    }

    pub(super) async fn write_progress(
        &self,
        database: &str,
        expected: u64,
        position: u64,
        exceptions: &[RowException],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let what = "recording a database's progress";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let moved = sqlx::query(
            "INSERT INTO followers (name, position, updated_at) SELECT ?1, ?2, ?3 \
             WHERE ?4 = 0 OR EXISTS (SELECT 1 FROM followers WHERE name = ?1) \
             ON CONFLICT (name) DO UPDATE SET position = ?2, updated_at = ?3 WHERE position = ?4",
        )
        .bind(database)
        .bind(bound(position)?)
        .bind(time_text(at))
        .bind(bound(expected)?)
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        if moved.rows_affected() != 1 {
            return Ok(false);
        }
        // Rows that are applied again, after the target was restored, may end differently.
        // What ended the same way keeps the mark that it was dealt with.
        let kept: Vec<i64> = exceptions
            .iter()
            .map(|e| bound(e.position))
            .collect::<Result<_, _>>()?;
        sqlx::query(
            "DELETE FROM follower_exceptions WHERE name = ? AND position > ? \
             AND position NOT IN (SELECT value FROM json_each(?))",
        )
        .bind(database)
        .bind(bound(expected.min(position))?)
        .bind(json(&kept, "positions")?)
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        for exception in exceptions {
            sqlx::query(
                "INSERT INTO follower_exceptions (name, position, kind, message, recorded_at) \
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT (name, position) DO NOTHING",
            )
            .bind(database)
            .bind(bound(exception.position)?)
            .bind(exception.kind.as_str())
            .bind(&exception.message)
            .bind(time_text(at))
            .execute(&mut *tx)
            .await
            .map_err(failed(what))?;
        }
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    pub(super) async fn write_fault(
        &self,
        database: &str,
        owner: &str,
        fault: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO followers (name, position, updated_at, fault, fault_since) \
             SELECT ?1, 0, ?3, ?2, CASE WHEN ?2 IS NULL THEN NULL ELSE ?3 END \
             FROM leases WHERE name = ?4 AND owner = ?5 \
             ON CONFLICT (name) DO UPDATE SET fault = excluded.fault, \
                 fault_since = CASE WHEN excluded.fault IS NULL THEN NULL \
                     ELSE COALESCE(followers.fault_since, excluded.fault_since) END",
        )
        .bind(database)
        .bind(fault)
        .bind(time_text(at))
        .bind(feed_lease(database))
        .bind(owner)
        .execute(&self.pool)
        .await
        .map_err(failed("recording a feed's fault"))?;
        Ok(())
    }

    pub(super) async fn read_open_exceptions(
        &self,
        database: &str,
        limit: u32,
    ) -> Result<Vec<RowException>, StoreError> {
        sqlx::query(
            "SELECT position, kind, message FROM follower_exceptions \
             WHERE name = ? AND handled = 0 ORDER BY position LIMIT ?",
        )
        .bind(database)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing exceptions"))?
        .iter()
        .map(row_exception)
        .collect()
    }

    pub(super) async fn read_exceptions(
        &self,
        database: &str,
        after: u64,
        to: u64,
    ) -> Result<Vec<RowException>, StoreError> {
        sqlx::query(
            "SELECT position, kind, message FROM follower_exceptions \
             WHERE name = ? AND position > ? AND position <= ? ORDER BY position",
        )
        .bind(database)
        .bind(bound(after)?)
        .bind(bound(to)?)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("listing exceptions"))?
        .iter()
        .map(row_exception)
        .collect()
    }
}
