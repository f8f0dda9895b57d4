//! Events and their deliveries, in one transaction that holds the lock of the events' end from
//! its first statement on, with one round trip for all rows of a table.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::delivery::Redelivery;
use returns_model::event::{NewEvent, Origin};
use returns_model::hold::HoldRecord;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};

use super::PgStore;
use super::codec::{clean, clean_all};
use super::holds::HOLDS;
use crate::columns::{Columns as _, bound, failed, json};
use crate::event::EventStore;
use crate::fan_out::{OriginColumns, enabled, fan_out};
use crate::records::hold_record;
use crate::{StoreError, webhook_rows};

#[async_trait]
impl EventStore for PgStore {
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
            "UPDATE webhook_head SET position = $1, sequence = sequence + $2 \
             WHERE position = $3 RETURNING sequence",
        )
        .bind(bound(to)?)
        .bind(bound(events.len() as u64)?)
        .bind(bound(from)?)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("moving the events' position"))?;
        let Some(moved) = moved else {
            tx.rollback().await.map_err(failed("leaving events"))?;
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
             ORDER BY held_at, hold_id LIMIT $1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(i64::from(limit))
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
        // Two that tell the same holds at once wait for each other here, not crosswise.
        sqlx::query("SELECT sequence FROM webhook_head FOR UPDATE")
            .execute(&mut *tx)
            .await
            .map_err(failed("taking the end of the events"))?;
        let (mut hold_ids, mut states) = (Vec::new(), Vec::new());
        for event in events {
            if let Origin::Hold { hold_id, state } = &event.origin {
                hold_ids.push(clean(hold_id));
                states.push(state.as_str());
            }
        }
        let told = sqlx::query(
            "UPDATE holds SET told_state = n.state \
             FROM UNNEST($1::text[], $2::text[]) AS n (hold_id, state) \
             WHERE holds.hold_id = n.hold_id AND holds.state = n.state \
             AND (holds.told_state IS NULL OR holds.told_state <> n.state) \
             RETURNING holds.hold_id",
        )
        .bind(hold_ids)
        .bind(states)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("recording that holds are told"))?
        .iter()
        .map(|row| row.text("hold_id"))
        .collect::<Result<BTreeSet<String>, _>>()?;
        let is_told = |event: &&NewEvent| match &event.origin {
            Origin::Hold { hold_id, .. } => told.contains(&*clean(hold_id)),
            Origin::Row { .. } => false,
        };
        let told: Vec<NewEvent> = events.iter().filter(is_told).cloned().collect();
        if told.is_empty() {
            tx.rollback().await.map_err(failed("leaving events"))?;
            return Ok(0);
        }
        let count = told.len() as u64;
        let last =
            sqlx::query("UPDATE webhook_head SET sequence = sequence + $1 RETURNING sequence")
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

async fn begin(store: &PgStore) -> Result<Transaction<'_, Postgres>, StoreError> {
    // Named, because another level would see endpoints as they were before the lock.
    store
        .pool
        .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
        .await
        .map_err(failed("beginning to record events"))
}

async fn write(
    tx: &mut PgConnection,
    events: &[NewEvent],
    first: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    write_events(tx, events, first, at).await?;
    let endpoints = sqlx::query(AssertSqlSafe(enabled()))
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("reading who wants events"))?
        .iter()
        .map(webhook_rows::endpoint)
        .collect::<Result<Vec<_>, _>>()?;
    write_deliveries(tx, &fan_out(events, first, &endpoints), at).await
}

async fn write_events(
    tx: &mut PgConnection,
    events: &[NewEvent],
    first: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut sequences, mut positions) = (Vec::new(), Vec::new());
    let (mut hold_ids, mut hold_states, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for (event, sequence) in events.iter().zip(first..) {
        let origin = OriginColumns::of(event)?;
        sequences.push(bound(sequence)?);
        positions.push(origin.position);
        hold_ids.push(origin.hold_id);
        hold_states.push(origin.hold_state);
        messages.push(json(&event.messages, "webhook_events.messages")?);
    }
    sqlx::query(
        "INSERT INTO webhook_events (sequence, event_id, position, hold_id, hold_state, \
         transfer_id, merchant, facts, messages, occurred_at, recorded_at) \
         SELECT e.*, $11 FROM UNNEST($1::bigint[], $2::text[], $3::bigint[], $4::text[], \
         $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[]) AS e",
    )
    .bind(sequences)
    .bind(clean_all(events.iter().map(|one| &one.event_id)))
    .bind(positions)
    .bind(hold_ids)
    .bind(hold_states)
    .bind(clean_all(events.iter().map(|one| &one.transfer_id)))
    .bind(clean_all(events.iter().map(|one| &one.merchant)))
    .bind(clean_all(events.iter().map(|one| &one.facts)))
    .bind(messages)
    .bind(events.iter().map(|one| one.occurred_at).collect::<Vec<_>>())
    .bind(at)
    .execute(tx)
    .await
    .map_err(failed("writing events"))?;
    Ok(())
}

async fn write_deliveries(
    tx: &mut PgConnection,
    deliveries: &[Redelivery],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let text = |of: fn(&Redelivery) -> &String| deliveries.iter().map(of).collect::<Vec<_>>();
    let sequences = deliveries
        .iter()
        .map(|one| bound(one.sequence))
        .collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "INSERT INTO webhook_deliveries (endpoint_id, sequence, event_type, message_id, \
         state, next_attempt_at, created_at) \
         SELECT d.*, 'pending', $5, $5 \
         FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[]) AS d",
    )
    .bind(text(|one| &one.endpoint_id))
    .bind(sequences)
    .bind(text(|one| &one.event_type))
    .bind(text(|one| &one.message_id))
    .bind(at)
    .execute(tx)
    .await
    .map_err(failed("writing deliveries"))?;
    Ok(())
}
