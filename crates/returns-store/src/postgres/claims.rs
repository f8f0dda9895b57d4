//! Who works on what. Only the server's own clock counts, since the replicas' may differ.

use std::time::Duration;

use super::PgStore;
use super::imports::import_ids;
use crate::StoreError;
use crate::columns::{failed, milliseconds};

impl PgStore {
    pub(super) async fn write_claims(
        &self,
        owner: &str,
        besides: &[String],
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        // Materialized, so that it is looked up once and the limit holds.
        sqlx::query(
            "WITH free AS MATERIALIZED ( \
                 SELECT import_id FROM imports WHERE phase IN ('checking', 'deciding') \
                 AND (claimed_by IS NULL OR claimed_by = $1 OR claimed_until <= clock_timestamp()) \
                 AND import_id <> ALL($3) \
                 ORDER BY received_at, import_id LIMIT $4 FOR UPDATE SKIP LOCKED) \
             UPDATE imports i SET claimed_by = $1, \
                 claimed_until = clock_timestamp() + $2 * INTERVAL '1 millisecond' \
             FROM free WHERE i.import_id = free.import_id RETURNING i.import_id",
        )
        .bind(owner)
        .bind(milliseconds(lease)?)
        .bind(besides)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("claiming imports"))
        .and_then(import_ids)
    }

    pub(super) async fn prolong_claims(
        &self,
        owner: &str,
        claimed: &[String],
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        sqlx::query(
            "UPDATE imports SET claimed_until = clock_timestamp() + $2 * INTERVAL '1 millisecond' \
             WHERE import_id = ANY($3) AND claimed_by = $1 RETURNING import_id",
        )
        .bind(owner)
        .bind(milliseconds(lease)?)
        .bind(claimed)
        .fetch_all(&self.pool)
        .await
        .map_err(failed("renewing claims"))
        .and_then(import_ids)
    }

    pub(super) async fn drop_claim(&self, import_id: &str, owner: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE imports SET claimed_by = NULL, claimed_until = NULL \
             WHERE import_id = $1 AND claimed_by = $2",
        )
        .bind(import_id)
        .bind(owner)
        .execute(&self.pool)
        .await
        .map_err(failed("giving an import back"))?;
        Ok(())
    }

    pub(super) async fn write_lease(
        &self,
        name: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO leases (name, owner, until) \
             VALUES ($1, $2, clock_timestamp() + $3 * INTERVAL '1 millisecond') \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE leases.owner = excluded.owner OR leases.until <= clock_timestamp()",
        )
        .bind(name)
        .bind(owner)
        .bind(milliseconds(lease)?)
        .execute(&self.pool)
        .await
        .map_err(failed("taking a lease"))?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn drop_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM leases WHERE name = $1 AND owner = $2")
            .bind(name)
            .bind(owner)
            .execute(&self.pool)
            .await
            .map_err(failed("giving a lease back"))?;
        Ok(())
    }
}
