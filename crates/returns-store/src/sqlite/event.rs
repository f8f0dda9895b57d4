//! Events that were recorded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::event::{EventFilter, EventRecord};
use sqlx::AssertSqlSafe;

use super::SqliteStore;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::event::EventReads;
use crate::webhook_rows::{EVENTS, event};

#[async_trait]
impl EventReads for SqliteStore {
    async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let sql = format!(
            "{EVENTS} WHERE sequence > ?1 AND (?2 IS NULL OR transfer_id = ?2) \
             AND (?3 IS NULL OR occurred_at >= ?3) \
             AND (?4 IS NULL OR occurred_at < ?4) ORDER BY sequence LIMIT ?5"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(bound(filter.after)?)
            .bind(&filter.transfer_id)
            .bind(filter.since.map(time_text))
            .bind(filter.until.map(time_text))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing events"))?
            .iter()
            .map(event)
            .collect()
    }

    async fn events_between(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let sql = format!(
            "{EVENTS} WHERE sequence > ?3 AND ((occurred_at >= ?1 AND occurred_at < ?2) \
             OR (recorded_at >= ?1 AND recorded_at < ?2)) ORDER BY sequence LIMIT ?4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(time_text(since))
            .bind(time_text(until))
            .bind(bound(after)?)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing what an endpoint may have missed"))?
            .iter()
            .map(event)
            .collect()
    }

    async fn events_at(&self, sequences: &[u64]) -> Result<Vec<EventRecord>, StoreError> {
        let sql = format!(
            "{EVENTS} WHERE sequence IN (SELECT value FROM json_each(?1)) ORDER BY sequence"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(json(&sequences, "sequences")?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading events"))?
            .iter()
            .map(event)
            .collect()
    }

    async fn event(&self, event_id: &str) -> Result<Option<EventRecord>, StoreError> {
        sqlx::query(AssertSqlSafe(format!("{EVENTS} WHERE event_id = ?1")))
            .bind(event_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an event"))?
            .as_ref()
            .map(event)
            .transpose()
    }
}
