//! Deliveries of messages to endpoints.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::delivery::{
    Accepted, Delivery, DeliveryAttempt, DeliveryFilter, DeliveryOutcome, DeliveryPlace,
    DeliveryState, Redelivery, Standing, Touched,
};

use super::SqlStore;
use super::attempts::{ATTEMPT, record_accepted, update_delivery};
use super::webhook_rows::{DELIVERIES, delivery, touched};
use crate::StoreError;
use crate::columns::bound;
use crate::db::statement;
use crate::delivery::{DeliveryStore, UNWANTED};

#[async_trait]
impl DeliveryStore for SqlStore {
    async fn due_endpoints(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, Touched)>, StoreError> {
        statement(
            "find due deliveries",
            "SELECT e.endpoint_id, e.version, e.wakes FROM webhook_endpoints e WHERE e.state = 'enabled' \
             AND CASE WHEN e.ordered THEN (SELECT d.next_attempt_at FROM webhook_deliveries d \
                 WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending' \
                 AND d.state <> 'delivered' \
                 ORDER BY d.sequence, d.event_type LIMIT 1) <= $1 \
             ELSE EXISTS (SELECT 1 FROM webhook_deliveries d \
                 WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending' \
                 AND d.next_attempt_at <= $1) END ORDER BY e.endpoint_id",
        )
        .bind(now)
        .list(&self.db, |row| Ok((row.text("endpoint_id")?, touched(row)?)))
        .await
    }

    async fn touched(
        &self,
        endpoint_ids: &[String],
    ) -> Result<HashMap<String, Touched>, StoreError> {
        let sql = format!(
            "SELECT endpoint_id, version, wakes FROM webhook_endpoints \
             WHERE endpoint_id {} AND state = 'enabled'",
            self.db.syntax().one_of("$1")
        );
        let found = statement("read what was done to endpoints", sql)
            .bind(endpoint_ids)
            .list(&self.db, |row| {
                Ok((row.text("endpoint_id")?, touched(row)?))
            })
            .await?;
        Ok(found.into_iter().collect())
    }

    async fn next_due_after(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        statement(
            "find the next delivery",
            "SELECT MIN((SELECT MIN(d.next_attempt_at) FROM webhook_deliveries d \
                 WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending' \
                 AND d.next_attempt_at > $1)) AS next_due \
             FROM webhook_endpoints e WHERE e.state = 'enabled'",
        )
        .bind(now)
        .one(&self.db, |row| row.optional_time("next_due"))
        .await
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
                "SELECT * FROM ({DELIVERIES} WHERE d.endpoint_id = $1 AND d.state = 'pending' \
                 AND d.state <> 'delivered' ORDER BY d.sequence, d.event_type LIMIT 1) AS head \
                 WHERE head.next_attempt_at <= $2 LIMIT $3"
            )
        } else {
            format!(
                "{DELIVERIES} WHERE d.endpoint_id = $1 AND d.state = 'pending' \
                 AND d.next_attempt_at <= $2 \
                 ORDER BY d.next_attempt_at, d.sequence, d.event_type LIMIT $3"
            )
        };
        statement("read due deliveries", sql)
            .bind(endpoint_id)
            .bind(now)
            .bind(limit)
            .list(&self.db, delivery)
            .await
    }

    async fn record_attempt(
        &self,
        delivery: &Delivery,
        attempt: &DeliveryAttempt,
    ) -> Result<Option<Standing>, StoreError> {
        let mut tx = self.db.begin(ATTEMPT).await?;
        if update_delivery(delivery, attempt)?.execute(&mut tx).await? != 1 {
            return Ok(None);
        }
        let (clock, delivered) = match attempt.outcome {
            DeliveryOutcome::Delivered => (
                "UPDATE webhook_endpoints SET failing_since = NULL \
                 WHERE endpoint_id = $1 AND failing_since <= $2",
                true,
            ),
            DeliveryOutcome::Retry { .. } | DeliveryOutcome::Undeliverable { .. } => (
                "UPDATE webhook_endpoints SET failing_since = $2 \
                 WHERE endpoint_id = $1 AND failing_since IS NULL",
                false,
            ),
        };
        let moved = statement(ATTEMPT, clock)
            .bind(&delivery.endpoint_id)
            .bind(attempt.at)
            .execute(&mut tx)
            .await?;
        let read = "SELECT failing_since FROM webhook_endpoints WHERE endpoint_id = $1";
        let failing_since = statement(ATTEMPT, read)
            .bind(&delivery.endpoint_id)
            .one(&mut tx, |row| row.optional_time("failing_since"))
            .await?;
        tx.commit(ATTEMPT).await?;
        Ok(Some(Standing {
            failing_since,
            recovered: delivered && moved == 1,
        }))
    }

    async fn record_delivered(
        &self,
        accepted: &[Accepted],
    ) -> Result<Vec<Option<Standing>>, StoreError> {
        record_accepted(&self.db, accepted).await
    }

    async fn give_up_unwanted(
        &self,
        unwanted: &[Delivery],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let what = "give up what an endpoint no longer wants";
        let mut tx = self.db.begin(what).await?;
        for one in unwanted {
            statement(
                what,
                "UPDATE webhook_deliveries SET state = 'undeliverable', unwanted = TRUE, \
                 next_attempt_at = NULL, last_error = $5, ended_at = $6 \
                 WHERE endpoint_id = $1 AND sequence = $2 AND event_type = $3 \
                 AND generation = $4 AND state = 'pending'",
            )
            .bind(&one.endpoint_id)
            .bind(bound(one.sequence)?)
            .bind(&one.event_type)
            .bind(bound(one.generation)?)
            .bind(UNWANTED)
            .bind(at)
            .execute(&mut tx)
            .await?;
        }
        tx.commit(what).await
    }

    async fn recently_dead(&self, since: DateTime<Utc>) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "{DELIVERIES} WHERE d.state = 'undeliverable' AND d.ended_at > $1 AND NOT d.unwanted \
             AND NOT EXISTS (SELECT 1 FROM webhook_deliveries n \
                 WHERE n.state = 'undeliverable' AND n.ended_at > $1 AND NOT n.unwanted \
                 AND n.endpoint_id = d.endpoint_id \
                 AND (n.ended_at, n.sequence, n.event_type) \
                     > (d.ended_at, d.sequence, d.event_type)) ORDER BY d.endpoint_id"
        );
        statement("read recent undeliverable messages", sql)
            .bind(since)
            .list(&self.db, delivery)
            .await
    }

    async fn dead_letters(&self, endpoint_id: &str) -> Result<u64, StoreError> {
        statement(
            "count undeliverable messages",
            "SELECT COUNT(*) AS undeliverable FROM webhook_deliveries \
             WHERE endpoint_id = $1 AND state = 'undeliverable' AND state <> 'delivered' \
             AND NOT unwanted",
        )
        .bind(endpoint_id)
        .one(&self.db, |row| row.count("undeliverable"))
        .await
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
            "{DELIVERIES} WHERE ($1 IS NULL OR d.endpoint_id = $1) \
             AND ($2 IS NULL OR d.state = $2) AND ($3 IS NULL OR v.event_id = $3) \
             AND ($4 IS NULL OR d.message_id = $4) \
             AND ($5 IS NULL OR v.transfer_id = $5) \
             AND ($6 IS NULL OR (d.sequence, d.endpoint_id, d.event_type) < ($6, $7, $8)) \
             ORDER BY d.sequence DESC, d.endpoint_id DESC, d.event_type DESC LIMIT $9"
        );
        statement("list deliveries", sql)
            .bind(&filter.endpoint_id)
            .bind(filter.state.map(DeliveryState::as_str))
            .bind(&filter.event_id)
            .bind(&filter.message_id)
            .bind(&filter.transfer_id)
            .bind(sequence)
            .bind(endpoint_id)
            .bind(event_type)
            .bind(limit)
            .list(&self.db, delivery)
            .await
    }

    async fn redeliver(
        &self,
        again: &[Redelivery],
        delivered_too: bool,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let what = "make deliveries due";
        let mut tx = self.db.begin(what).await?;
        let mut due = 0;
        for one in again {
            due += statement(
                what,
                "INSERT INTO webhook_deliveries (endpoint_id, sequence, event_type, message_id, \
                 state, next_attempt_at, created_at) \
                 VALUES ($1, $2, $3, $4, 'pending', $5, $5) \
                 ON CONFLICT (endpoint_id, sequence, event_type) DO UPDATE \
                 SET state = 'pending', next_attempt_at = excluded.next_attempt_at, \
                     ended_at = NULL, generation = webhook_deliveries.generation + 1, \
                     tries_from = webhook_deliveries.attempts, unwanted = FALSE \
                 WHERE $6 OR webhook_deliveries.state <> 'delivered'",
            )
            .bind(&one.endpoint_id)
            .bind(bound(one.sequence)?)
            .bind(&one.event_type)
            .bind(&one.message_id)
            .bind(at)
            .bind(delivered_too)
            .execute(&mut tx)
            .await?;
        }
        let endpoints: BTreeSet<_> = again.iter().map(|one| one.endpoint_id.as_str()).collect();
        for endpoint_id in endpoints.into_iter().filter(|_| due > 0) {
            let wake = "UPDATE webhook_endpoints SET wakes = wakes + 1 WHERE endpoint_id = $1";
            statement(what, wake)
                .bind(endpoint_id)
                .execute(&mut tx)
                .await?;
        }
        tx.commit(what).await?;
        Ok(due)
    }
}
