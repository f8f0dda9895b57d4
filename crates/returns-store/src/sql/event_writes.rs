//! Events and their deliveries, in one transaction that holds the lock of the events' end from
//! its first statement on.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::delivery::{DeliveryState, Redelivery};
use returns_model::event::{NewEvent, Origin};
use returns_model::hold::HoldRecord;

use super::SqlStore;
use super::fan_out::{OriginColumns, enabled, fan_out};
use super::holds::{HOLDS, hold_record};
use super::webhook_rows::endpoint;
use crate::StoreError;
use crate::columns::{bound, json};
use crate::db::{Insert, Transaction, insert_all, statement};
use crate::event::EventStore;

const BEGIN: &str = "begin to record events";

#[async_trait]
impl EventStore for SqlStore {
    async fn event_position(&self) -> Result<u64, StoreError> {
        statement(
            "read the events' position",
            "SELECT position FROM webhook_head",
        )
        .one(&self.db, |row| row.count("position"))
        .await
    }

    async fn record_events(
        &self,
        from: u64,
        to: u64,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin(BEGIN).await?;
        let count = events.len() as u64;
        let last = statement(
            "move the events' position",
            "UPDATE webhook_head SET position = $1, sequence = sequence + $2 \
             WHERE position = $3 RETURNING sequence",
        )
        .bind(bound(to)?)
        .bind(bound(count)?)
        .bind(bound(from)?)
        .optional(&mut tx, |row| row.count("sequence"))
        .await?;
        let Some(last) = last else {
            tx.rollback("leave events").await?;
            return Ok(false);
        };
        write(&mut tx, events, last + 1 - count, at).await?;
        tx.commit("commit events").await?;
        Ok(true)
    }

    async fn unpublished_holds(&self, limit: u32) -> Result<Vec<HoldRecord>, StoreError> {
        let sql = format!(
            "{HOLDS} WHERE published_state IS NULL OR published_state <> state \
             ORDER BY held_at, hold_id LIMIT $1"
        );
        statement("list unpublished holds", sql)
            .bind(limit)
            .list(&self.db, hold_record)
            .await
    }

    async fn record_hold_events(
        &self,
        events: &[NewEvent],
        at: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        let mut tx = self.db.begin(BEGIN).await?;
        // Two that publish the same holds at once wait for each other here, not crosswise.
        let lock = tx.syntax().for_update();
        statement(
            "take the end of the events",
            format!("SELECT sequence FROM webhook_head {lock}"),
        )
        .execute(&mut tx)
        .await?;
        let published = record_published(&mut tx, events).await?;
        if published.is_empty() {
            tx.rollback("leave events").await?;
            return Ok(0);
        }
        let count = published.len() as u64;
        let last = statement(
            "take events' sequences",
            "UPDATE webhook_head SET sequence = sequence + $1 RETURNING sequence",
        )
        .bind(bound(count)?)
        .one(&mut tx, |row| row.count("sequence"))
        .await?;
        write(&mut tx, &published, last + 1 - count, at).await?;
        tx.commit("commit events").await?;
        Ok(published.len())
    }
}

/// The holds that events report.
fn hold_ids(events: &[NewEvent]) -> Vec<String> {
    let hold_id = |event: &NewEvent| match &event.origin {
        Origin::Hold { hold_id, .. } => Some(hold_id.clone()),
        Origin::Row { .. } => None,
    };
    events.iter().filter_map(hold_id).collect()
}

/// Records that holds are published in the states that their events report. Gives the events of
/// those that have that state, and were not published in it before.
async fn record_published(
    tx: &mut Transaction,
    events: &[NewEvent],
) -> Result<Vec<NewEvent>, StoreError> {
    let what = "record that holds are published";
    let these = tx.syntax().one_of("$1");
    let sql = format!(
        "SELECT hold_id, state FROM holds WHERE hold_id {these} \
         AND (published_state IS NULL OR published_state <> state) {}",
        tx.syntax().for_update()
    );
    let unpublished = statement(what, sql)
        .bind(hold_ids(events))
        .list(&mut *tx, |row| {
            Ok((row.text("hold_id")?, row.text("state")?))
        })
        .await?;
    let unpublished: BTreeSet<(String, String)> = unpublished.into_iter().collect();
    let is_unpublished = |event: &&NewEvent| match &event.origin {
        Origin::Hold { hold_id, state } => {
            unpublished.contains(&(hold_id.clone(), state.as_str().to_owned()))
        }
        Origin::Row { .. } => false,
    };
    let published: Vec<NewEvent> = events.iter().filter(is_unpublished).cloned().collect();
    let sql = format!("UPDATE holds SET published_state = state WHERE hold_id {these}");
    statement(what, sql)
        .bind(hold_ids(&published))
        .execute(tx)
        .await?;
    Ok(published)
}

async fn write(
    tx: &mut Transaction,
    events: &[NewEvent],
    first: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    write_events(tx, events, first, at).await?;
    let endpoints = statement("read who wants events", enabled())
        .list(&mut *tx, endpoint)
        .await?;
    write_deliveries(tx, &fan_out(events, first, &endpoints), at).await
}

async fn write_events(
    tx: &mut Transaction,
    events: &[NewEvent],
    first: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write events",
        table: "webhook_events",
        columns: "sequence, event_id, position, hold_id, hold_state, transfer_id, merchant, \
             facts, messages, occurred_at, recorded_at",
        end: "",
    };
    let row = |(event, sequence): (&NewEvent, u64)| {
        let origin = OriginColumns::of(event)?;
        Ok(vec![
            bound(sequence)?.into(),
            (&event.event_id).into(),
            origin.position.into(),
            origin.hold_id.into(),
            origin.hold_state.into(),
            (&event.transfer_id).into(),
            (&event.merchant).into(),
            (&event.facts).into(),
            json(&event.messages, "webhook_events.messages")?.into(),
            event.occurred_at.into(),
            at.into(),
        ])
    };
    let rows = events.iter().zip(first..).map(row);
    insert_all(tx, &insert, rows.collect::<Result<_, StoreError>>()?).await
}

async fn write_deliveries(
    tx: &mut Transaction,
    deliveries: &[Redelivery],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write deliveries",
        table: "webhook_deliveries",
        columns: "endpoint_id, sequence, event_type, message_id, state, next_attempt_at, \
             created_at",
        end: "",
    };
    let row = |one: &Redelivery| {
        Ok(vec![
            (&one.endpoint_id).into(),
            bound(one.sequence)?.into(),
            (&one.event_type).into(),
            (&one.message_id).into(),
            DeliveryState::Pending.as_str().into(),
            at.into(),
            at.into(),
        ])
    };
    let rows = deliveries.iter().map(row);
    insert_all(tx, &insert, rows.collect::<Result<_, StoreError>>()?).await
}
