//! Events that were recorded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::event::{EventFilter, EventRecord};
use sqlx::AssertSqlSafe;

use super::PgStore;
use crate::StoreError;
use crate::columns::{bound, failed};
use crate::event::EventReads;
use crate::webhook_rows::{EVENTS, event};

#[async_trait]
impl EventReads for PgStore {
    async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let sql = format!(
            "{EVENTS} WHERE sequence > $1 AND ($2::text IS NULL OR transfer_id = $2) \
             AND ($3::timestamptz IS NULL OR occurred_at >= $3) \
             AND ($4::timestamptz IS NULL OR occurred_at < $4) ORDER BY sequence LIMIT $5"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(bound(filter.after)?)
            .bind(&filter.transfer_id)
            .bind(filter.since)
            .bind(filter.until)
            .bind(i64::from(limit))
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
            "{EVENTS} WHERE sequence > $3 AND ((occurred_at >= $1 AND occurred_at < $2) \
             OR (recorded_at >= $1 AND recorded_at < $2)) ORDER BY sequence LIMIT $4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(since)
            .bind(until)
            .bind(bound(after)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing what an endpoint may have missed"))?
            .iter()
            .map(event)
            .collect()
    }

    async fn events_at(&self, sequences: &[u64]) -> Result<Vec<EventRecord>, StoreError> {
        let sequences = sequences.iter().map(|one| bound(*one));
        let sequences = sequences.collect::<Result<Vec<i64>, StoreError>>()?;
        let sql = format!("{EVENTS} WHERE sequence = ANY($1) ORDER BY sequence");
        sqlx::query(AssertSqlSafe(sql))
            .bind(sequences)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading events"))?
            .iter()
            .map(event)
            .collect()
    }

    async fn event(&self, event_id: &str) -> Result<Option<EventRecord>, StoreError> {
        sqlx::query(AssertSqlSafe(format!("{EVENTS} WHERE event_id = $1")))
            .bind(event_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an event"))?
            .as_ref()
            .map(event)
            .transpose()
    }
}
