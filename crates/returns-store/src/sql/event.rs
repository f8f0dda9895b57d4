//! Events that were recorded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::event::{EventFilter, EventRecord};

use super::SqlStore;
use super::webhook_rows::{EVENTS, event};
use crate::StoreError;
use crate::columns::{bound, bounds};
use crate::db::statement;
use crate::event::EventReads;

#[async_trait]
impl EventReads for SqlStore {
    async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let sql = format!(
            "{EVENTS} WHERE sequence > $1 AND ($2 IS NULL OR transfer_id = $2) \
             AND ($3 IS NULL OR occurred_at >= $3) \
             AND ($4 IS NULL OR occurred_at < $4) ORDER BY sequence LIMIT $5"
        );
        statement("list events", sql)
            .bind(bound(filter.after)?)
            .bind(&filter.transfer_id)
            .bind(filter.since)
            .bind(filter.until)
            .bind(limit)
            .list(&self.db, event)
            .await
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
        statement("list what an endpoint may have missed", sql)
            .bind(since)
            .bind(until)
            .bind(bound(after)?)
            .bind(limit)
            .list(&self.db, event)
            .await
    }

    async fn events_at(&self, sequences: &[u64]) -> Result<Vec<EventRecord>, StoreError> {
        let these = self.db.syntax().one_of("$1");
        let sql = format!("{EVENTS} WHERE sequence {these} ORDER BY sequence");
        statement("read events", sql)
            .bind(bounds(sequences)?)
            .list(&self.db, event)
            .await
    }

    async fn event(&self, event_id: &str) -> Result<Option<EventRecord>, StoreError> {
        statement("read an event", format!("{EVENTS} WHERE event_id = $1"))
            .bind(event_id)
            .optional(&self.db, event)
            .await
    }
}
