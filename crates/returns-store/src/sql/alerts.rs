//! Alerts as they are written with a change of their incident.

use chrono::{DateTime, Utc};
use returns_model::incident::{AlertRecord, AlertState};

use super::incident_rows::ALERT_COLUMNS;
use crate::StoreError;
use crate::db::{Insert, Transaction, insert_all, statement};

/// Writes an alert, which takes the place of what is pending for its channel. One that is
/// there already is only changed while it is pending.
pub(super) async fn put_alert(tx: &mut Transaction, alert: &AlertRecord) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write an alert",
        table: "alerts",
        columns: ALERT_COLUMNS,
        end: "ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, \
             attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, \
             claimed_until = excluded.claimed_until, sent_at = excluded.sent_at, \
             last_error = excluded.last_error \
             WHERE alerts.state = 'pending'",
    };
    if alert.state == AlertState::Pending {
        statement(
            insert.what,
            "UPDATE alerts SET state = 'superseded' WHERE incident_id = $1 AND channel = $2 \
             AND state = 'pending' AND alert_id <> $3",
        )
        .bind(&alert.incident_id)
        .bind(&alert.channel)
        .bind(&alert.alert_id)
        .execute(&mut *tx)
        .await?;
    }
    let row = vec![
        (&alert.alert_id).into(),
        (&alert.incident_id).into(),
        (&alert.channel).into(),
        alert.kind.as_str().into(),
        (&alert.fallback_of).into(),
        alert.state.as_str().into(),
        alert.attempts.into(),
        alert.created_at.into(),
        alert.next_attempt_at.into(),
        alert.claimed_until.into(),
        alert.sent_at.into(),
        (&alert.last_error).into(),
    ];
    insert_all(tx, &insert, vec![row]).await
}

/// Lets alerts go at `at` that were not tried yet.
pub(super) async fn release_alerts(
    tx: &mut Transaction,
    incident_id: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "release alerts",
        "UPDATE alerts SET next_attempt_at = $1 \
         WHERE incident_id = $2 AND state = 'pending' AND attempts = 0",
    )
    .bind(at)
    .bind(incident_id)
    .execute(tx)
    .await
    .map(drop)
}
