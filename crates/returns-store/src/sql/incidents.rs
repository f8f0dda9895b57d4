//! Incidents. An incident changes with its events and alerts, or not at all.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertRecord, Attempt, IncidentEvent, IncidentRecord, IncidentState, IncidentWrite,
};

use super::SqlStore;
use super::alerts::{put_alert, release_alerts};
use super::incident_rows::{
    ALERT_COLUMNS, CHANGING_COLUMNS, EVENT_COLUMNS, FIXED_COLUMNS, alert_record, changing_values,
    fixed_values, incident_event, incident_record,
};
use crate::StoreError;
use crate::columns::bound;
use crate::db::{Insert, Statement, Transaction, Value, insert_all, statement};
use crate::incident::IncidentStore;

/// `$3, $4, …`: a place for each of `values`, the first of which is bound after `before` others.
fn places(before: usize, values: &[Value]) -> String {
    let places = (before + 1..=before + values.len()).map(|place| format!("${place}"));
    places.collect::<Vec<_>>().join(", ")
}

/// Inserts or updates; false when the version is another by now, or another with its key is
/// open.
async fn put_incident(tx: &mut Transaction, write: &IncidentWrite) -> Result<bool, StoreError> {
    let incident = &write.incident;
    let mut values = match write.expected {
        None => fixed_values(incident),
        Some(version) => vec![(&incident.incident_id).into(), bound(version)?.into()],
    };
    let changing = changing_values(incident)?;
    let changed = places(values.len(), &changing);
    let sql = match write.expected {
        None => format!(
            "INSERT INTO incidents ({FIXED_COLUMNS}, {CHANGING_COLUMNS}) \
             VALUES ({}, {changed}) ON CONFLICT DO NOTHING",
            places(0, &values)
        ),
        Some(_) => format!(
            "UPDATE incidents SET ({CHANGING_COLUMNS}) = ({changed}) \
             WHERE incident_id = $1 AND version = $2"
        ),
    };
    values.extend(changing);
    let put = statement("write an incident", sql);
    match values
        .into_iter()
        .fold(put, Statement::bind)
        .execute(tx)
        .await
    {
        Ok(done) => Ok(done == 1),
        Err(StoreError::Database { source, .. }) if is_taken(&source) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn put_events(tx: &mut Transaction, events: &[IncidentEvent]) -> Result<(), StoreError> {
    let insert = Insert {
        what: "write what happened to an incident",
        table: "incident_events",
        columns: EVENT_COLUMNS,
        end: "ON CONFLICT DO NOTHING",
    };
    let row = |event: &IncidentEvent| {
        Ok(vec![
            (&event.event_id).into(),
            (&event.incident_id).into(),
            bound(event.number)?.into(),
            event.at.into(),
            event.what.as_str().into(),
            (&event.actor).into(),
            (&event.note).into(),
        ])
    };
    let rows = events.iter().map(row).collect::<Result<_, StoreError>>()?;
    insert_all(tx, &insert, rows).await
}

/// The statement that reads incidents, with its end.
fn incidents(what: &'static str, end: &str) -> Statement {
    let sql = format!("SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents {end}");
    statement(what, sql)
}

/// The same for alerts.
fn alerts(what: &'static str, end: &str) -> Statement {
    statement(what, format!("SELECT {ALERT_COLUMNS} FROM alerts {end}"))
}

#[async_trait]
impl IncidentStore for SqlStore {
    async fn write_incident(&self, write: &IncidentWrite) -> Result<bool, StoreError> {
        let what = "write an incident";
        let mut tx = self.db.begin(what).await?;
        if !put_incident(&mut tx, write).await? {
            return Ok(false);
        }
        put_events(&mut tx, &write.events).await?;
        for alert in &write.alerts {
            put_alert(&mut tx, alert).await?;
        }
        if let Some(at) = write.release_at {
            release_alerts(&mut tx, &write.incident.incident_id, at).await?;
        }
        tx.commit(what).await?;
        Ok(true)
    }

    async fn incident(&self, incident_id: &str) -> Result<Option<IncidentRecord>, StoreError> {
        incidents("read an incident", "WHERE incident_id = $1")
            .bind(incident_id)
            .optional(&self.db, incident_record)
            .await
    }

    async fn latest_incident(&self, key: &str) -> Result<Option<IncidentRecord>, StoreError> {
        incidents(
            "find an incident",
            "WHERE incident_key = $1 \
             ORDER BY (state = 'open') DESC, opened_at DESC, incident_id DESC LIMIT 1",
        )
        .bind(key)
        .optional(&self.db, incident_record)
        .await
    }

    async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        let (before_time, before_id) = before.unzip();
        incidents(
            "list incidents",
            "WHERE ($1 IS NULL OR state = $1) \
             AND ($2 IS NULL OR (opened_at, incident_id) < ($2, $3)) \
             ORDER BY opened_at DESC, incident_id DESC LIMIT $4",
        )
        .bind(state.map(IncidentState::as_str))
        .bind(before_time)
        .bind(before_id)
        .bind(limit)
        .list(&self.db, incident_record)
        .await
    }

    async fn live_incidents(
        &self,
        closed_after: DateTime<Utc>,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        incidents(
            "read the open incidents",
            "WHERE state = 'open' OR (state = 'closed' AND closed_at > $1)",
        )
        .bind(closed_after)
        .list(&self.db, incident_record)
        .await
    }

    async fn incident_events(&self, incident_id: &str) -> Result<Vec<IncidentEvent>, StoreError> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM incident_events WHERE incident_id = $1 \
             ORDER BY at, number, event_id"
        );
        statement("read what happened to an incident", sql)
            .bind(incident_id)
            .list(&self.db, incident_event)
            .await
    }

    async fn alerts_of(&self, incident_ids: &[String]) -> Result<Vec<AlertRecord>, StoreError> {
        let of_them = self.db.syntax().one_of("$1");
        let end = format!("WHERE incident_id {of_them} ORDER BY created_at, channel, alert_id");
        alerts("read alerts", &end)
            .bind(incident_ids)
            .list(&self.db, alert_record)
            .await
    }

    async fn pending_alerts(&self, limit: u32) -> Result<Vec<AlertRecord>, StoreError> {
        alerts(
            "read pending alerts",
            "WHERE state = 'pending' ORDER BY next_attempt_at, alert_id LIMIT $1",
        )
        .bind(limit)
        .list(&self.db, alert_record)
        .await
    }

    async fn claim_alert(
        &self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        statement(
            "claim an alert",
            "UPDATE alerts SET attempts = attempts + 1, claimed_until = $1 \
             WHERE alert_id = $2 AND attempts = $3 AND state = 'pending' \
             AND (claimed_until IS NULL OR claimed_until <= $4) \
             AND NOT EXISTS (SELECT 1 FROM alerts o WHERE o.incident_id = $5 \
                 AND o.channel = $6 AND o.alert_id <> $2 AND o.claimed_until > $4)",
        )
        .bind(until)
        .bind(&alert.alert_id)
        .bind(alert.attempts)
        .bind(now)
        .bind(&alert.incident_id)
        .bind(&alert.channel)
        .execute(&self.db)
        .await
        .map(|done| done == 1)
    }

    async fn finish_alert(
        &self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Result<(), StoreError> {
        let change = |set: &str| {
            let sql = format!(
                "UPDATE alerts SET claimed_until = NULL, {set} \
                 WHERE alert_id = $1 AND attempts = $2"
            );
            statement("record how an alert went", sql)
                .bind(alert_id)
                .bind(attempt)
        };
        let change = match ended {
            Attempt::Sent { at } => change(
                "state = CASE state WHEN 'pending' THEN 'sent' ELSE state END, \
                 sent_at = $3, last_error = NULL",
            )
            .bind(*at),
            Attempt::Failed {
                error,
                next_at: Some(next_at),
            } => change("last_error = $3, next_attempt_at = $4")
                .bind(error)
                .bind(*next_at),
            Attempt::Failed {
                error,
                next_at: None,
            } => change(
                "last_error = $3, state = CASE state WHEN 'pending' THEN 'undeliverable' ELSE state END",
            )
            .bind(error),
        };
        change.execute(&self.db).await.map(drop)
    }
}
