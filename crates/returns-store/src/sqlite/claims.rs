//! Who works on what. The time is asked of SQLite, as the other kind of database asks its
//! server: in milliseconds since 1970.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};

use super::SqliteStore;
use crate::StoreError;
use crate::columns::{Columns as _, failed, json, milliseconds};

pub(super) const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

impl SqliteStore {
    pub(super) async fn write_claims(
        &self,
        owner: &str,
        besides: &[String],
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        let what = "claiming imports";
        let free = format!(
            "SELECT import_id FROM imports WHERE phase IN ('checking', 'deciding') \
             AND (claimed_by IS NULL OR claimed_by = ?1 OR claimed_until <= {NOW}) \
             AND import_id NOT IN (SELECT value FROM json_each(?2)) \
             ORDER BY received_at, import_id LIMIT ?3"
        );
        let besides = json(&besides, "import ids")?;
        // Looking first costs little, and an update takes the file's one write lock even when
        // it finds nothing.
        let any: bool = sqlx::query(AssertSqlSafe(format!("SELECT EXISTS ({free})")))
            .bind(owner)
            .bind(&besides)
            .bind(limit)
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed(what))?;
        if !any {
            return Ok(Vec::new());
        }
        let sql = format!(
            "UPDATE imports SET claimed_by = ?1, claimed_until = {NOW} + ?4 \
             WHERE import_id IN ({free}) RETURNING import_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(owner)
            .bind(&besides)
            .bind(limit)
            .bind(milliseconds(lease)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed(what))?
            .iter()
            .map(|row| row.text("import_id"))
            .collect()
    }

    pub(super) async fn prolong_claims(
        &self,
        owner: &str,
        claimed: &[String],
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "UPDATE imports SET claimed_until = {NOW} + ?2 WHERE claimed_by = ?1 \
             AND import_id IN (SELECT value FROM json_each(?3)) RETURNING import_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(owner)
            .bind(milliseconds(lease)?)
            .bind(json(&claimed, "import ids")?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("renewing claims"))?
            .iter()
            .map(|row| row.text("import_id"))
            .collect()
    }

    pub(super) async fn drop_claim(&self, import_id: &str, owner: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE imports SET claimed_by = NULL, claimed_until = NULL \
             WHERE import_id = ? AND claimed_by = ?",
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
        let sql = format!(
            "INSERT INTO leases (name, owner, until) VALUES (?1, ?2, {NOW} + ?3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE owner = excluded.owner OR until <= {NOW}"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(name)
            .bind(owner)
            .bind(milliseconds(lease)?)
            .execute(&self.pool)
            .await
            .map_err(failed("taking a lease"))?;
        Ok(done.rows_affected() == 1)
    }

    pub(super) async fn drop_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM leases WHERE name = ? AND owner = ?")
            .bind(name)
            .bind(owner)
            .execute(&self.pool)
            .await
            .map_err(failed("giving a lease back"))?;
        Ok(())
    }
}
