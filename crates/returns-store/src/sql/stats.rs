//! How much there is of everything that waits.

use async_trait::async_trait;

use super::SqlStore;
use crate::StoreError;
use crate::columns::{bound, reason};
use crate::db::{Pool, statement};
use crate::stats::{PoolUse, StatsStore, Waiting};

#[async_trait]
impl StatsStore for SqlStore {
    async fn waiting(&self) -> Result<Waiting, StoreError> {
        let what = "count what waits";
        let holds = statement(
            what,
            "SELECT reason, COUNT(*) AS number, MIN(held_at) AS oldest FROM holds \
             WHERE state = 'open' GROUP BY reason",
        )
        .list(&self.db, |row| {
            Ok((reason(row)?, row.count("number")?, row.time("oldest")?))
        })
        .await?;
        let followers = statement(
            what,
            "SELECT f.name, f.position, j.recorded_at FROM followers f \
             LEFT JOIN journal j ON j.position = f.position + 1",
        )
        .list(&self.db, |row| {
            Ok((
                row.text("name")?,
                row.count("position")?,
                row.optional_time("recorded_at")?,
            ))
        })
        .await?;
        let (head_position, audit_position) = statement(
            what,
            "SELECT j.position AS head, a.position AS audit FROM journal_head j, audit_head a",
        )
        .one(&self.db, |row| {
            Ok((row.count("head")?, row.count("audit")?))
        })
        .await?;
        let incidents = statement(
            what,
            "SELECT cause, severity, COUNT(*) AS number, \
             COUNT(CASE WHEN acknowledged_at IS NULL THEN 1 END) AS open FROM incidents \
             WHERE state = 'open' GROUP BY cause, severity",
        )
        .list(&self.db, |row| {
            Ok((
                row.text("cause")?,
                row.text("severity")?,
                row.count("number")?,
                row.count("open")?,
            ))
        })
        .await?;
        let deliveries = statement(
            what,
            "SELECT d.state, e.state AS endpoint, COUNT(*) AS number FROM webhook_deliveries d \
             JOIN webhook_endpoints e ON e.endpoint_id = d.endpoint_id \
             WHERE d.state <> 'delivered' GROUP BY d.state, e.state",
        )
        .list(&self.db, |row| {
            Ok((
                row.text("state")?,
                row.text("endpoint")?,
                row.count("number")?,
            ))
        })
        .await?;
        Ok(Waiting {
            holds,
            followers,
            head_position,
            audit_position,
            incidents,
            deliveries,
        })
    }

    fn pool_use(&self) -> PoolUse {
        let (size, idle, most) = match &self.db.pool {
            Pool::Sqlite(pool) => (
                pool.size(),
                pool.num_idle(),
                pool.options().get_max_connections(),
            ),
            Pool::Postgres(pool) => (
                pool.size(),
                pool.num_idle(),
                pool.options().get_max_connections(),
            ),
        };
        let idle = idle as u64;
        PoolUse {
            used: u64::from(size).saturating_sub(idle),
            idle,
            free: u64::from(most.saturating_sub(size)),
        }
    }

    async fn trace_of(&self, import_id: &str) -> Result<Option<String>, StoreError> {
        let found = statement(
            "read the trace of an import",
            "SELECT trace FROM imports WHERE import_id = $1",
        )
        .bind(import_id)
        .optional(&self.db, |row| row.optional_text("trace"))
        .await?;
        Ok(found.flatten())
    }

    async fn trace_at(&self, position: u64) -> Result<Option<String>, StoreError> {
        let found = statement(
            "read the trace of a row",
            "SELECT i.trace FROM journal j JOIN imports i ON i.import_id = j.import_id \
             WHERE j.position = $1",
        )
        .bind(bound(position)?)
        .optional(&self.db, |row| row.optional_text("trace"))
        .await?;
        Ok(found.flatten())
    }
}
