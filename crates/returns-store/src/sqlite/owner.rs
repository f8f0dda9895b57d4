//! NotificationState owners of endpoints.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::endpoint::{Endpoint, NotificationState};
use sqlx::AssertSqlSafe;

use super::SqliteStore;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{bound, failed};
use crate::owner::OwnerStore;
use crate::webhook_rows::{ENDPOINTS, NotificationColumns, endpoint};

#[async_trait]
impl OwnerStore for SqliteStore {
    async fn owners_waiting(&self, limit: u32) -> Result<Vec<Endpoint>, StoreError> {
        let sql = format!(
            "{ENDPOINTS} WHERE owner_state = 'waiting' AND state = 'disabled' \
             ORDER BY owner_next_at, endpoint_id LIMIT ?1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("looking for owners to be told"))?
            .iter()
            .map(endpoint)
            .collect()
    }

    async fn disabled_after(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let sql = format!(
            "{ENDPOINTS} WHERE owner_since > ?1 AND owner_state IS NOT NULL \
             AND state = 'disabled' ORDER BY owner_since DESC, endpoint_id LIMIT ?2"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(time_text(since))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("looking for endpoints that were disabled"))?
            .iter()
            .map(endpoint)
            .collect()
    }

    async fn begin_notification(
        &self,
        seen: &Endpoint,
        next_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let Some(notice) = &seen.owner_notice else {
            return Ok(false);
        };
        let done = sqlx::query(
            "UPDATE webhook_endpoints \
             SET owner_attempts = owner_attempts + 1, owner_next_at = ?4 \
             WHERE endpoint_id = ?1 AND state = 'disabled' AND owner_state = 'waiting' \
             AND owner_since = ?2 AND owner_attempts = ?3",
        )
        .bind(&seen.endpoint_id)
        .bind(time_text(notice.since))
        .bind(bound(notice.attempts)?)
        .bind(time_text(next_at))
        .execute(&self.pool)
        .await
        .map_err(failed("counting a try at notification an owner"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn record_telling(
        &self,
        seen: &Endpoint,
        notification: &NotificationState,
    ) -> Result<bool, StoreError> {
        let Some(notice) = &seen.owner_notice else {
            return Ok(false);
        };
        let cells = NotificationColumns::of(notification);
        let done = sqlx::query(
            "UPDATE webhook_endpoints SET owner_state = ?4, owner_next_at = ?5, \
             owner_told_at = ?6, owner_error = ?7 \
             WHERE endpoint_id = ?1 AND state = 'disabled' AND owner_state = 'waiting' \
             AND owner_since = ?2 AND owner_attempts = ?3",
        )
        .bind(&seen.endpoint_id)
        .bind(time_text(notice.since))
        .bind(bound(notice.attempts)?)
        .bind(cells.state)
        .bind(cells.next_at.map(time_text))
        .bind(cells.told_at.map(time_text))
        .bind(cells.error)
        .execute(&self.pool)
        .await
        .map_err(failed("recording that an owner was told"))?;
        Ok(done.rows_affected() == 1)
    }
}
