//! How far each database is.

use chrono::{DateTime, Utc};
use echeck_service::failpoint;
use returns_model::follower::{Progress, RowException};
use sqlx::Row as _;

use super::PgStore;
use super::codec::{clean, clean_option};
use crate::StoreError;
use crate::columns::{bound, failed};
use crate::follower::feed_lease;
use crate::records::{progress, row_exception};

impl PgStore {
    pub(super) async fn read_progress(&self, database: &str) -> Result<Progress, StoreError> {
        sqlx::query("SELECT position, fault, fault_since FROM followers WHERE name = $1")
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
        let positions: Vec<i64> = exceptions
            .iter()
            .map(|exception| bound(exception.position))
            .collect::<Result<_, _>>()?;
        failpoint::hit("progress::before_record").await?;
        // Rows that are applied again, after the target was restored, may end differently.
        // What ended the same way keeps the mark that it was dealt with. What goes and what is
        // new reads from `moved`, so that nothing happens unless the position could be moved.
        let moved: i64 = sqlx::query(
            "WITH moved AS ( \
                 INSERT INTO followers (name, position, updated_at) \
                 SELECT $1, $3, $4 WHERE $2 = 0 OR EXISTS (SELECT 1 FROM followers WHERE name = $1) \
                 ON CONFLICT (name) DO UPDATE SET position = excluded.position, \
                     updated_at = excluded.updated_at WHERE followers.position = $2 \
                 RETURNING name), \
             gone AS ( \
                 DELETE FROM follower_exceptions e USING moved WHERE e.name = moved.name \
                     AND e.position > LEAST($2, $3) AND e.position <> ALL($5)), \
             written AS ( \
                 INSERT INTO follower_exceptions (name, position, kind, message, recorded_at) \
                 SELECT moved.name, x.position, x.kind, x.message, $4 \
                 FROM moved, UNNEST($5::bigint[], $6::text[], $7::text[]) \
                     AS x (position, kind, message) \
                 ON CONFLICT (name, position) DO NOTHING) \
             SELECT COUNT(*) FROM moved",
        )
        .bind(database)
        .bind(bound(expected)?)
        .bind(bound(position)?)
        .bind(at)
        .bind(positions)
        .bind(exceptions.iter().map(|exception| exception.kind.as_str()).collect::<Vec<_>>())
        .bind(exceptions.iter().map(|exception| clean(&exception.message)).collect::<Vec<_>>())
        .fetch_one(&self.pool)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed("recording a database's progress"))?;
        failpoint::hit("progress::after_record").await?;
        Ok(moved == 1)
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
             SELECT $1, 0, $3::timestamptz, $2::text, CASE WHEN $2::text IS NULL THEN NULL ELSE $3 END \
             FROM leases WHERE name = $4 AND owner = $5 \
             ON CONFLICT (name) DO UPDATE SET fault = excluded.fault, \
                 fault_since = CASE WHEN excluded.fault IS NULL THEN NULL \
                     ELSE COALESCE(followers.fault_since, excluded.fault_since) END",
        )
        .bind(database)
        .bind(clean_option(fault))
        .bind(at)
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
             WHERE name = $1 AND NOT handled ORDER BY position LIMIT $2",
        )
        .bind(database)
        .bind(i64::from(limit))
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
             WHERE name = $1 AND position > $2 AND position <= $3 ORDER BY position",
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
