//! Alerts: what is still to be delivered, and how each attempt went.

use chrono::{DateTime, Utc};
use returns_model::incident::{AlertRecord, AlertState, Attempt};
use sqlx::{AssertSqlSafe, PgConnection};

use super::PgStore;
use super::codec::{clean, clean_all, clean_option};
use crate::StoreError;
use crate::columns::failed;
use crate::incident_rows::{ALERT_COLUMNS, alert_record};

/// Writes an alert, which takes the place of what is pending for its channel. One that is
/// there already is only changed while it is pending.
pub(super) async fn put_alert(
    connection: &mut PgConnection,
    alert: &AlertRecord,
) -> Result<(), StoreError> {
    let what = "writing an alert";
    if alert.state == AlertState::Pending {
        sqlx::query(
            "UPDATE alerts SET state = 'superseded' WHERE incident_id = $1 AND channel = $2 \
             AND state = 'pending' AND alert_id <> $3",
        )
        .bind(&alert.incident_id)
        .bind(&alert.channel)
        .bind(&alert.alert_id)
        .execute(&mut *connection)
        .await
        .map_err(failed(what))?;
    }
    let sql = format!(
        "INSERT INTO alerts ({ALERT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, \
             attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, \
             claimed_until = excluded.claimed_until, sent_at = excluded.sent_at, \
             last_error = excluded.last_error \
         WHERE alerts.state = 'pending'"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(&alert.alert_id)
        .bind(&alert.incident_id)
        .bind(&alert.channel)
        .bind(alert.kind.as_str())
        .bind(&alert.fallback_of)
        .bind(alert.state.as_str())
        .bind(i64::from(alert.attempts))
        .bind(alert.created_at)
        .bind(alert.next_attempt_at)
        .bind(alert.claimed_until)
        .bind(alert.sent_at)
        .bind(clean_option(alert.last_error.as_deref()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed(what))
}

/// Lets alerts go at `at` that were not tried yet.
pub(super) async fn release_alerts(
    connection: &mut PgConnection,
    incident_id: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE alerts SET next_attempt_at = $1 \
         WHERE incident_id = $2 AND state = 'pending' AND attempts = 0",
    )
    .bind(at)
    .bind(incident_id)
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("releasing alerts"))
}

impl PgStore {
    pub(super) async fn read_alerts_of(
        &self,
        incident_ids: &[String],
    ) -> Result<Vec<AlertRecord>, StoreError> {
        let sql = format!(
            "SELECT {ALERT_COLUMNS} FROM alerts \
             WHERE incident_id = ANY ($1) \
             ORDER BY created_at, channel, alert_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean_all(incident_ids))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading alerts"))?
            .iter()
            .map(alert_record)
            .collect()
    }

    pub(super) async fn read_pending_alerts(
        &self,
        limit: u32,
    ) -> Result<Vec<AlertRecord>, StoreError> {
        let sql = format!(
            "SELECT {ALERT_COLUMNS} FROM alerts WHERE state = 'pending' \
             ORDER BY next_attempt_at, alert_id LIMIT $1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading pending alerts"))?
            .iter()
            .map(alert_record)
            .collect()
    }

    pub(super) async fn take_alert(
        &self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        sqlx::query(
            "UPDATE alerts SET attempts = attempts + 1, claimed_until = $1 \
             WHERE alert_id = $2 AND attempts = $3 AND state = 'pending' \
             AND (claimed_until IS NULL OR claimed_until <= $4) \
             AND NOT EXISTS (SELECT 1 FROM alerts o WHERE o.incident_id = $5 \
                 AND o.channel = $6 AND o.alert_id <> $2 AND o.claimed_until > $4)",
        )
        .bind(until)
        .bind(&alert.alert_id)
        .bind(i64::from(alert.attempts))
        .bind(now)
        .bind(&alert.incident_id)
        .bind(&alert.channel)
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(failed("claiming an alert"))
    }

    pub(super) async fn write_attempt(
        &self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Result<(), StoreError> {
        match ended {
            Attempt::Sent { at } => sqlx::query(
                "UPDATE alerts SET state = CASE state WHEN 'pending' THEN 'sent' ELSE state END, \
                 sent_at = $1, claimed_until = NULL, last_error = NULL \
                 WHERE alert_id = $2 AND attempts = $3",
            )
            .bind(*at),
            Attempt::Failed {
                error,
                next_at: Some(next_at),
            } => sqlx::query(
                "UPDATE alerts SET last_error = $1, next_attempt_at = $2, claimed_until = NULL \
                 WHERE alert_id = $3 AND attempts = $4",
            )
            .bind(clean(error))
            .bind(*next_at),
            Attempt::Failed {
                error,
                next_at: None,
            } => sqlx::query(
                "UPDATE alerts SET last_error = $1, claimed_until = NULL, \
                 state = CASE state WHEN 'pending' THEN 'dead' ELSE state END \
                 WHERE alert_id = $2 AND attempts = $3",
            )
            .bind(clean(error)),
        }
        .bind(alert_id)
        .bind(i64::from(attempt))
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed("keeping how an alert went"))
    }
}
