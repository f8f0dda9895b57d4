//! Events and their deliveries, in one transaction that holds the write lock from its first
//! statement.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::delivery::Redelivery;
use returns_model::event::{NewEvent, Origin};
use returns_model::hold::HoldRecord;
use serde_json::json;
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::SqliteStore;
use super::codec::time_text;
use super::holds::HOLDS;
use crate::columns::{Columns as _, bound, failed, json as to_json};
use crate::event::EventStore;
use crate::fan_out::{OriginColumns, enabled, fan_out};
use crate::records::hold_record;
use crate::{StoreError, webhook_rows};

/// How many rows one statement writes: they are bound as one text, which has a limit.
const CHUNK: usize = 2000;

#[async_trait]
impl EventStore for SqliteStore {
    async fn event_position(&self) -> Result<u64, StoreError> {
        sqlx::query("SELECT position FROM webhook_head")
            .fetch_one(&self.pool)
            .await
            .map_err(failed("reading the events' position"))?
            .count("position")
    }

    async fn record_events(
        &self,
        from: u64,
        to: u64,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = begin(self).await?;
        let moved = sqlx::query(
            "UPDATE webhook_head SET position = ?1, sequence = sequence + ?2 \
             WHERE position = ?3 RETURNING sequence",
        )
        .bind(bound(to)?)
        .bind(bound(events.len() as u64)?)
        .bind(bound(from)?)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("moving the events' position"))?;
        let Some(moved) = moved else {
            return Ok(false);
        };
        let first = moved.count("sequence")? + 1 - events.len() as u64;
        write(&mut tx, events, first, at).await?;
        tx.commit().await.map_err(failed("committing events"))?;
        Ok(true)
    }

    async fn unpublished_holds(&self, limit: u32) -> Result<Vec<HoldRecord>, StoreError> {
        let sql = format!(
            "{HOLDS} WHERE told_state IS NULL OR told_state <> state \
             ORDER BY held_at, hold_id LIMIT ?1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing untold holds"))?
            .iter()
            .map(hold_record)
            .collect()
    }

    async fn record_hold_events(
        &self,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        let mut tx = begin(self).await?;
        let mut told = Vec::new();
        for event in events {
            let Origin::Hold { hold_id, state } = &event.origin else {
                continue;
            };
            let done = sqlx::query(
                "UPDATE holds SET told_state = ?1 WHERE hold_id = ?2 AND state = ?1 \
                 AND (told_state IS NULL OR told_state <> ?1)",
            )
            .bind(state.as_str())
            .bind(hold_id)
            .execute(&mut *tx)
            .await
            .map_err(failed("recording that holds are told"))?;
            if done.rows_affected() == 1 {
                told.push(event.clone());
            }
        }
        if told.is_empty() {
            return Ok(0);
        }
        let count = told.len() as u64;
        let last =
            sqlx::query("UPDATE webhook_head SET sequence = sequence + ?1 RETURNING sequence")
                .bind(bound(count)?)
                .fetch_one(&mut *tx)
                .await
                .map_err(failed("taking events' sequences"))?
                .count("sequence")?;
        write(&mut tx, &told, last + 1 - count, at).await?;
        tx.commit().await.map_err(failed("committing events"))?;
        Ok(told.len())
    }
}

async fn begin(store: &SqliteStore) -> Result<Transaction<'_, Sqlite>, StoreError> {
    store
        .pool
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(failed("beginning to record events"))
}

async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    events: &[NewEvent],
    first: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    write_events(tx, events, first, at).await?;
    let endpoints = sqlx::query(AssertSqlSafe(enabled()))
        .fetch_all(&mut **tx)
        .await
        .map_err(failed("reading who wants events"))?
        .iter()
        .map(webhook_rows::endpoint)
        .collect::<Result<Vec<_>, _>>()?;
    write_deliveries(tx, &fan_out(events, first, &endpoints), at).await
}

async fn write_events(
    tx: &mut Transaction<'_, Sqlite>,
    events: &[NewEvent],
    first: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for (chunk, start) in events.chunks(CHUNK).zip((first..).step_by(CHUNK)) {
        let rows = chunk
            .iter()
            .zip(start..)
            .map(|(event, sequence)| {
                let origin = OriginColumns::of(event)?;
                Ok(json!([
                    sequence,
                    event.event_id,
                    origin.position,
                    origin.hold_id,
                    origin.hold_state,
                    event.transfer_id,
                    event.merchant,
                    event.facts,
                    to_json(&event.messages, "webhook_events.messages")?,
                    time_text(event.occurred_at),
                ]))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        sqlx::query(
            "INSERT INTO webhook_events (sequence, event_id, position, hold_id, hold_state, \
             transfer_id, merchant, facts, messages, occurred_at, recorded_at) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
             value ->> 6, value ->> 7, value ->> 8, value ->> 9, ?2 FROM json_each(?1)",
        )
        .bind(to_json(&rows, "events")?)
        .bind(time_text(at))
        .execute(&mut **tx)
        .await
        .map_err(failed("writing events"))?;
    }
    Ok(())
}

async fn write_deliveries(
    tx: &mut Transaction<'_, Sqlite>,
    deliveries: &[Redelivery],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    for chunk in deliveries.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|one| {
                json!([
                    one.endpoint_id,
                    one.sequence,
                    one.event_type,
                    one.message_id
                ])
            })
            .collect();
        sqlx::query(
            "INSERT INTO webhook_deliveries (endpoint_id, sequence, event_type, message_id, \
             state, next_attempt_at, created_at) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, 'pending', ?2, ?2 \
             FROM json_each(?1)",
        )
        .bind(to_json(&rows, "deliveries")?)
        .bind(time_text(at))
        .execute(&mut **tx)
        .await
        .map_err(failed("writing deliveries"))?;
    }
    Ok(())
}
