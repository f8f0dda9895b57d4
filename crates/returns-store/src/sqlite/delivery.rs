//! Deliveries of messages to endpoints.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::delivery::{
    Delivery, DeliveryAttempt, DeliveryFilter, DeliveryOutcome, DeliveryPlace, DeliveryState,
    Redelivery, Standing, Touched,
};
use sqlx::AssertSqlSafe;

use super::SqliteStore;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{Columns as _, bound, failed};
use crate::delivery::{DeliveryStore, UNWANTED};
use crate::webhook_rows::{DELIVERIES, delivery, touched};

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn due_endpoints(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, Touched)>, StoreError> {
        sqlx::query(
            "SELECT e.endpoint_id, e.version, e.wakes FROM webhook_endpoints e WHERE e.state = 'enabled' \
             AND CASE WHEN e.ordered THEN (SELECT d.next_attempt_at FROM webhook_deliveries d \
                 WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending' \
                 AND d.state <> 'delivered' \
                 ORDER BY d.sequence, d.event_type LIMIT 1) <= ?1 \
             ELSE EXISTS (SELECT 1 FROM webhook_deliveries d \
                 WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending' \
                 AND d.next_attempt_at <= ?1) END ORDER BY e.endpoint_id",
        )
        .bind(time_text(now))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("looking for due deliveries"))?
        .iter()
        .map(|row| Ok((row.text("endpoint_id")?, touched(row)?)))
        .collect()
    }

    async fn touched(&self, endpoint_id: &str) -> Result<Option<Touched>, StoreError> {
        sqlx::query(
            "SELECT version, wakes FROM webhook_endpoints \
             WHERE endpoint_id = ?1 AND state = 'enabled'",
        )
        .bind(endpoint_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed("reading what was done to an endpoint"))?
        .as_ref()
        .map(touched)
        .transpose()
    }

    async fn next_due_after(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        sqlx::query(
            "SELECT MIN((SELECT MIN(d.next_attempt_at) FROM webhook_deliveries d \
                 WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending' \
                 AND d.next_attempt_at > ?1)) AS next_due \
             FROM webhook_endpoints e WHERE e.state = 'enabled'",
        )
        .bind(time_text(now))
        .fetch_one(&self.pool)
        .await
        .map_err(failed("looking for the next delivery"))?
        .optional_time("next_due")
    }

    async fn due_deliveries(
        &self,
        endpoint_id: &str,
        ordered: bool,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = if ordered {
            format!(
                "SELECT * FROM ({DELIVERIES} WHERE d.endpoint_id = ?1 AND d.state = 'pending' \
                 AND d.state <> 'delivered' ORDER BY d.sequence, d.event_type LIMIT 1) AS head \
                 WHERE head.next_attempt_at <= ?2 LIMIT ?3"
            )
        } else {
            format!(
                "{DELIVERIES} WHERE d.endpoint_id = ?1 AND d.state = 'pending' \
                 AND d.next_attempt_at <= ?2 \
                 ORDER BY d.next_attempt_at, d.sequence, d.event_type LIMIT ?3"
            )
        };
        sqlx::query(AssertSqlSafe(sql))
            .bind(endpoint_id)
            .bind(time_text(now))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading due deliveries"))?
            .iter()
            .map(delivery)
            .collect()
    }

    async fn record_attempt(
        &self,
        delivery: &Delivery,
        attempt: &DeliveryAttempt,
    ) -> Result<Option<Standing>, StoreError> {
        let what = "recording an attempt at a delivery";
        let (state, error, next_at) = match &attempt.outcome {
            DeliveryOutcome::Delivered => (DeliveryState::Delivered, None, None),
            DeliveryOutcome::Retry { error, at } => {
                (DeliveryState::Pending, Some(error), Some(*at))
            }
            DeliveryOutcome::Dead { error } => (DeliveryState::Dead, Some(error), None),
        };
        let ended_at = (state != DeliveryState::Pending).then_some(attempt.at);
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let done = sqlx::query(
            "UPDATE webhook_deliveries SET state = ?5, attempts = attempts + 1, \
             next_attempt_at = ?6, last_status = ?7, last_error = ?8, last_attempt_at = ?9, \
             ended_at = ?10 WHERE endpoint_id = ?1 AND sequence = ?2 AND event_type = ?3 \
             AND attempts = ?4 AND generation = ?11 AND state = 'pending'",
        )
        .bind(&delivery.endpoint_id)
        .bind(bound(delivery.sequence)?)
        .bind(&delivery.event_type)
        .bind(bound(delivery.attempts)?)
        .bind(state.as_str())
        .bind(next_at.map(time_text))
        .bind(attempt.status.map(i64::from))
        .bind(error)
        .bind(time_text(attempt.at))
        .bind(ended_at.map(time_text))
        .bind(bound(delivery.generation)?)
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        if done.rows_affected() != 1 {
            return Ok(None);
        }
        let clock = match attempt.outcome {
            DeliveryOutcome::Delivered => {
                "UPDATE webhook_endpoints SET failing_since = NULL \
                 WHERE endpoint_id = ?1 AND failing_since <= ?2"
            }
            DeliveryOutcome::Retry { .. } | DeliveryOutcome::Dead { .. } => {
                "UPDATE webhook_endpoints SET failing_since = ?2 \
                 WHERE endpoint_id = ?1 AND failing_since IS NULL"
            }
        };
        let moved = sqlx::query(clock)
            .bind(&delivery.endpoint_id)
            .bind(time_text(attempt.at))
            .execute(&mut *tx)
            .await
            .map_err(failed(what))?;
        let failing_since =
            sqlx::query("SELECT failing_since FROM webhook_endpoints WHERE endpoint_id = ?1")
                .bind(&delivery.endpoint_id)
                .fetch_one(&mut *tx)
                .await
                .map_err(failed(what))?
                .optional_time("failing_since")?;
        tx.commit().await.map_err(failed(what))?;
        Ok(Some(Standing {
            failing_since,
            recovered: state == DeliveryState::Delivered && moved.rows_affected() == 1,
        }))
    }

    async fn give_up_unwanted(
        &self,
        unwanted: &[Delivery],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let what = "giving up what an endpoint wants no more";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        for one in unwanted {
            sqlx::query(
                "UPDATE webhook_deliveries SET state = 'dead', unwanted = 1, \
                 next_attempt_at = NULL, last_error = ?5, ended_at = ?6 \
                 WHERE endpoint_id = ?1 AND sequence = ?2 AND event_type = ?3 \
                 AND generation = ?4 AND state = 'pending'",
            )
            .bind(&one.endpoint_id)
            .bind(bound(one.sequence)?)
            .bind(&one.event_type)
            .bind(bound(one.generation)?)
            .bind(UNWANTED)
            .bind(time_text(at))
            .execute(&mut *tx)
            .await
            .map_err(failed(what))?;
        }
        tx.commit().await.map_err(failed(what))
    }

    async fn recently_dead(&self, since: DateTime<Utc>) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "{DELIVERIES} WHERE d.state = 'dead' AND d.ended_at > ?1 AND NOT d.unwanted \
             AND NOT EXISTS (SELECT 1 FROM webhook_deliveries n \
                 WHERE n.state = 'dead' AND n.ended_at > ?1 AND NOT n.unwanted \
                 AND n.endpoint_id = d.endpoint_id \
                 AND (n.ended_at, n.sequence, n.event_type) \
                     > (d.ended_at, d.sequence, d.event_type)) ORDER BY d.endpoint_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(time_text(since))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading recent dead letters"))?
            .iter()
            .map(delivery)
            .collect()
    }

    async fn dead_letters(&self, endpoint_id: &str) -> Result<u64, StoreError> {
        sqlx::query(
            "SELECT COUNT(*) AS dead FROM webhook_deliveries \
             WHERE endpoint_id = ?1 AND state = 'dead' AND state <> 'delivered' \
             AND NOT unwanted",
        )
        .bind(endpoint_id)
        .fetch_one(&self.pool)
        .await
        .map_err(failed("counting dead letters"))?
        .count("dead")
    }

    async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        before: Option<DeliveryPlace>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (sequence, endpoint_id, event_type) = match before {
            Some((sequence, endpoint, kind)) => {
                (Some(bound(sequence)?), Some(endpoint), Some(kind))
            }
            None => (None, None, None),
        };
        let sql = format!(
            "{DELIVERIES} WHERE (?1 IS NULL OR d.endpoint_id = ?1) \
             AND (?2 IS NULL OR d.state = ?2) AND (?3 IS NULL OR v.event_id = ?3) \
             AND (?4 IS NULL OR d.message_id = ?4) \
             AND (?5 IS NULL OR v.transfer_id = ?5) \
             AND (?6 IS NULL OR (d.sequence, d.endpoint_id, d.event_type) < (?6, ?7, ?8)) \
             ORDER BY d.sequence DESC, d.endpoint_id DESC, d.event_type DESC LIMIT ?9"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(&filter.endpoint_id)
            .bind(filter.state.map(DeliveryState::as_str))
            .bind(&filter.event_id)
            .bind(&filter.message_id)
            .bind(&filter.transfer_id)
            .bind(sequence)
            .bind(endpoint_id)
            .bind(event_type)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing deliveries"))?
            .iter()
            .map(delivery)
            .collect()
    }

    async fn redeliver(
        &self,
        again: &[Redelivery],
        delivered_too: bool,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let what = "making deliveries due";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let mut due = 0;
        for one in again {
            let done = sqlx::query(
                "INSERT INTO webhook_deliveries (endpoint_id, sequence, event_type, message_id, \
                 state, next_attempt_at, created_at) \
                 VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?5) \
                 ON CONFLICT (endpoint_id, sequence, event_type) DO UPDATE \
                 SET state = 'pending', next_attempt_at = excluded.next_attempt_at, \
                     ended_at = NULL, generation = webhook_deliveries.generation + 1, \
                     tries_from = webhook_deliveries.attempts, unwanted = 0 \
                 WHERE ?6 OR webhook_deliveries.state <> 'delivered'",
            )
            .bind(&one.endpoint_id)
            .bind(bound(one.sequence)?)
            .bind(&one.event_type)
            .bind(&one.message_id)
            .bind(time_text(at))
            .bind(delivered_too)
            .execute(&mut *tx)
            .await
            .map_err(failed(what))?;
            due += done.rows_affected();
        }
        if due > 0 {
            let endpoints: BTreeSet<&str> =
                again.iter().map(|one| one.endpoint_id.as_str()).collect();
            for endpoint_id in endpoints {
                sqlx::query(
                    "UPDATE webhook_endpoints SET wakes = wakes + 1 WHERE endpoint_id = ?1",
                )
                .bind(endpoint_id)
                .execute(&mut *tx)
                .await
                .map_err(failed(what))?;
            }
        }
        tx.commit().await.map_err(failed(what))?;
        Ok(due)
    }
}
