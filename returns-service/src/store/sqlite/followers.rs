//! How far each database is.

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;

use super::super::{ExceptionKind, Progress, RowException, StoreError};
use super::codec::{bound, count, text, time_text, word};
use super::{SqliteStore, failed};

impl SqliteStore {
    pub(super) async fn read_progress(&self, database: &str) -> Result<Progress, StoreError> {
        let row = sqlx::query("SELECT position FROM followers WHERE name = ?")
            .bind(database)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading a database's progress"))?;
        match row {
            None => Ok(Progress::default()),
            Some(row) => Ok(Progress {
                position: count(&row, "position")?,
            }),
        }
    }

    pub(super) async fn write_progress(
        &self,
        database: &str,
        replayed_from: u64,
        position: u64,
        exceptions: &[RowException],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let what = "recording a database's progress";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
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
        .bind(bound(replayed_from)?)
        .bind(super::codec::json(&kept, "positions")?)
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
        sqlx::query(
            "INSERT INTO followers (name, position, updated_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (name) DO UPDATE SET position = ?2, updated_at = ?3",
        )
        .bind(database)
        .bind(bound(position)?)
        .bind(time_text(at))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        tx.commit().await.map_err(failed(what))
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

fn row_exception(row: &SqliteRow) -> Result<RowException, StoreError> {
    Ok(RowException {
        position: count(row, "position")?,
        kind: word(row, "kind", &ExceptionKind::ALL, ExceptionKind::as_str)?,
        message: text(row, "message")?,
    })
}
