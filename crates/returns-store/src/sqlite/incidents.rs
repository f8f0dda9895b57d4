//! Incidents. An incident changes with its events and alerts, or not at all.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertRecord, Attempt, IncidentEvent, IncidentRecord, IncidentState, IncidentWrite, Signature,
};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

use super::SqliteStore;
use super::alerts::{put_alert, release_alerts};
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::incident::IncidentStore;
use crate::incident_rows::{
    CHANGING_COLUMNS, EVENT_COLUMNS, FIXED_COLUMNS, incident_event, incident_record, places,
};

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A place for a bound value.
fn place(_number: usize) -> String {
    "?".to_owned()
}

/// Binds what stays as it was.
fn bind_fixed<'q>(query: Statement<'q>, incident: &'q IncidentRecord) -> Statement<'q> {
    query
        .bind(&incident.incident_id)
        .bind(&incident.key)
        .bind(&incident.cause)
        .bind(&incident.subject)
        .bind(incident.area.as_str())
        .bind(incident.severity.as_str())
        .bind(&incident.source)
        .bind(&incident.import_id)
        .bind(&incident.run_id)
        .bind(time_text(incident.opened_at))
}

/// Binds what changes.
fn bind_changing<'q>(
    query: Statement<'q>,
    incident: &'q IncidentRecord,
) -> Result<Statement<'q>, StoreError> {
    let signed = |query: Statement<'q>, signature: &'q Option<Signature>| {
        query
            .bind(signature.as_ref().map(|one| time_text(one.at)))
            .bind(signature.as_ref().map(|one| &one.by))
            .bind(signature.as_ref().map(|one| &one.note))
    };
    let query = query
        .bind(incident.state.as_str())
        .bind(json(&incident.content, "incidents.content")?)
        .bind(bound(incident.seen)?)
        .bind(bound(incident.reopened)?)
        .bind(time_text(incident.last_seen_at))
        .bind(incident.next_try_at.map(time_text))
        .bind(incident.quiet_since.map(time_text));
    let query = signed(query, &incident.acknowledged);
    Ok(signed(query, &incident.closed)
        .bind(time_text(incident.alerted_at))
        .bind(time_text(incident.waiting_since))
        .bind(bound(incident.escalations)?)
        .bind(json(&incident.told, "incidents.told")?)
        .bind(bound(incident.version)?))
}

/// Inserts or updates; false when the version is another by now, or another with its key is
/// open.
async fn put_incident(
    connection: &mut SqliteConnection,
    write: &IncidentWrite,
) -> Result<bool, StoreError> {
    let incident = &write.incident;
    let done = match write.expected {
        None => {
            let places = places(&[FIXED_COLUMNS, CHANGING_COLUMNS], 1, place);
            let sql = format!(
                "INSERT INTO incidents ({FIXED_COLUMNS}, {CHANGING_COLUMNS}) VALUES {places} \
                 ON CONFLICT DO NOTHING"
            );
            let query = bind_fixed(sqlx::query(AssertSqlSafe(sql)), incident);
            bind_changing(query, incident)?.execute(connection).await
        }
        Some(version) => {
            let places = places(&[CHANGING_COLUMNS], 1, place);
            let sql = format!(
                "UPDATE incidents SET ({CHANGING_COLUMNS}) = {places} \
                 WHERE incident_id = ? AND version = ?"
            );
            bind_changing(sqlx::query(AssertSqlSafe(sql)), incident)?
                .bind(&incident.incident_id)
                .bind(bound(version)?)
                .execute(connection)
                .await
        }
    };
    match done {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(error) if is_taken(&error) => Ok(false),
        Err(error) => Err(failed("writing an incident")(error)),
    }
}

fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn put_event(
    connection: &mut SqliteConnection,
    event: &IncidentEvent,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO incident_events ({EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(&event.event_id)
        .bind(&event.incident_id)
        .bind(bound(event.number)?)
        .bind(time_text(event.at))
        .bind(event.what.as_str())
        .bind(&event.actor)
        .bind(&event.note)
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed("writing what happened to an incident"))
}

#[async_trait]
impl IncidentStore for SqliteStore {
    async fn write_incident(&self, write: &IncidentWrite) -> Result<bool, StoreError> {
        let what = "writing an incident";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        if !put_incident(&mut tx, write).await? {
            return Ok(false);
        }
        for event in &write.events {
            put_event(&mut tx, event).await?;
        }
        for alert in &write.alerts {
            put_alert(&mut tx, alert).await?;
        }
        if let Some(at) = write.release_at {
            release_alerts(&mut tx, &write.incident.incident_id, at).await?;
        }
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    async fn incident(&self, incident_id: &str) -> Result<Option<IncidentRecord>, StoreError> {
        let sql = format!(
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents WHERE incident_id = ?"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(incident_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an incident"))?
            .as_ref()
            .map(incident_record)
            .transpose()
    }

    async fn latest_incident(&self, key: &str) -> Result<Option<IncidentRecord>, StoreError> {
        let sql = format!(
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents WHERE incident_key = ? \
             ORDER BY state = 'open' DESC, opened_at DESC, incident_id DESC LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("looking for an incident"))?
            .as_ref()
            .map(incident_record)
            .transpose()
    }

    async fn incidents(
        &self,
        state: Option<IncidentState>,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        let (before_time, before_id) = before.map(|(at, id)| (time_text(at), id)).unzip();
        let sql = format!(
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents WHERE (?1 IS NULL OR state = ?1) \
             AND (?2 IS NULL OR (opened_at, incident_id) < (?2, ?3)) \
             ORDER BY opened_at DESC, incident_id DESC LIMIT ?4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(state.map(IncidentState::as_str))
            .bind(before_time)
            .bind(before_id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing incidents"))?
            .iter()
            .map(incident_record)
            .collect()
    }

    async fn live_incidents(
        &self,
        closed_after: DateTime<Utc>,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        let sql = format!(
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents \
             WHERE state = 'open' OR (state = 'closed' AND closed_at > ?)"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(time_text(closed_after))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the open incidents"))?
            .iter()
            .map(incident_record)
            .collect()
    }

    async fn incident_events(&self, incident_id: &str) -> Result<Vec<IncidentEvent>, StoreError> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM incident_events WHERE incident_id = ? \
             ORDER BY at, number, event_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(incident_id)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading what happened to an incident"))?
            .iter()
            .map(incident_event)
            .collect()
    }

    async fn alerts_of(&self, incident_ids: &[String]) -> Result<Vec<AlertRecord>, StoreError> {
        self.read_alerts_of(incident_ids).await
    }

    async fn pending_alerts(&self, limit: u32) -> Result<Vec<AlertRecord>, StoreError> {
        self.read_pending_alerts(limit).await
    }

    async fn claim_alert(
        &self,
        alert: &AlertRecord,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.take_alert(alert, now, until).await
    }

    async fn finish_alert(
        &self,
        alert_id: &str,
        attempt: u32,
        ended: &Attempt,
    ) -> Result<(), StoreError> {
        self.write_attempt(alert_id, attempt, ended).await
    }
}
