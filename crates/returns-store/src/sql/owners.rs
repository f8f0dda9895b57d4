//! Owners of endpoints who are still to be notified.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::endpoint::{Endpoint, NotificationState};

use super::SqlStore;
use super::webhook_rows::{ENDPOINTS, NotificationColumns, endpoint};
use crate::columns::bound;
use crate::db::statement;
use crate::{OwnerStore, StoreError};

#[async_trait]
impl OwnerStore for SqlStore {
    async fn owners_waiting(&self, limit: u32) -> Result<Vec<Endpoint>, StoreError> {
        let sql = format!(
            "{ENDPOINTS} WHERE owner_state = 'waiting' AND state = 'disabled' \
             ORDER BY owner_next_at, endpoint_id LIMIT $1"
        );
        statement("find owners to be notified", sql)
            .bind(limit)
            .list(&self.db, endpoint)
            .await
    }

    async fn disabled_after(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let sql = format!(
            "{ENDPOINTS} WHERE owner_since > $1 AND owner_state IS NOT NULL \
             AND state = 'disabled' ORDER BY owner_since DESC, endpoint_id LIMIT $2"
        );
        statement("find endpoints that were disabled", sql)
            .bind(since)
            .bind(limit)
            .list(&self.db, endpoint)
            .await
    }

    async fn begin_notification(
        &self,
        seen: &Endpoint,
        next_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let Some(notice) = &seen.owner_notice else {
            return Ok(false);
        };
        let done = statement(
            "count an attempt to notify an owner",
            "UPDATE webhook_endpoints \
             SET owner_attempts = owner_attempts + 1, owner_next_at = $4 \
             WHERE endpoint_id = $1 AND state = 'disabled' AND owner_state = 'waiting' \
             AND owner_since = $2 AND owner_attempts = $3",
        )
        .bind(&seen.endpoint_id)
        .bind(notice.since)
        .bind(bound(notice.attempts)?)
        .bind(next_at)
        .execute(&self.db)
        .await?;
        Ok(done == 1)
    }

    async fn record_notification(
        &self,
        seen: &Endpoint,
        notification: &NotificationState,
    ) -> Result<bool, StoreError> {
        let Some(notice) = &seen.owner_notice else {
            return Ok(false);
        };
        let cells = NotificationColumns::of(notification);
        let done = statement(
            "record how notifying an owner went",
            "UPDATE webhook_endpoints SET owner_state = $4, owner_next_at = $5, \
             owner_notified_at = $6, owner_error = $7 \
             WHERE endpoint_id = $1 AND state = 'disabled' AND owner_state = 'waiting' \
             AND owner_since = $2 AND owner_attempts = $3",
        )
        .bind(&seen.endpoint_id)
        .bind(notice.since)
        .bind(bound(notice.attempts)?)
        .bind(cells.state)
        .bind(cells.next_at)
        .bind(cells.notified_at)
        .bind(cells.error)
        .execute(&self.db)
        .await?;
        Ok(done == 1)
    }
}
