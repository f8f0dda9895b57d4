//! Incidents. An incident changes with its events and alerts, or not at all.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::incident::{
    AlertRecord, Attempt, IncidentEvent, IncidentRecord, IncidentState, IncidentWrite, Signature,
};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use super::PgStore;
use super::alerts::{put_alert, release_alerts};
use super::codec::{clean, clean_option};
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::incident::IncidentStore;
use crate::incident_rows::{
    CHANGING_COLUMNS, EVENT_COLUMNS, FIXED_COLUMNS, incident_event, incident_record, places,
};

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A place for a bound value.
fn place(number: usize) -> String {
    format!("${number}")
}

/// Binds what stays as it was.
fn bind_fixed<'q>(query: Statement<'q>, incident: &'q IncidentRecord) -> Statement<'q> {
    query
        .bind(clean(&incident.incident_id))
        .bind(clean(&incident.key))
        .bind(clean(&incident.cause))
        .bind(clean(&incident.subject))
        .bind(incident.area.as_str())
        .bind(incident.severity.as_str())
        .bind(clean_option(incident.source.as_deref()))
        .bind(clean_option(incident.import_id.as_deref()))
        .bind(clean_option(incident.run_id.as_deref()))
        .bind(incident.opened_at)
}

/// Binds what changes.
fn bind_changing<'q>(
    query: Statement<'q>,
    incident: &'q IncidentRecord,
) -> Result<Statement<'q>, StoreError> {
    let signed = |query: Statement<'q>, signature: &'q Option<Signature>| {
        query
            .bind(signature.as_ref().map(|one| one.at))
            .bind(signature.as_ref().map(|one| clean(&one.by)))
            .bind(signature.as_ref().map(|one| clean(&one.note)))
    };
    let query = query
        .bind(incident.state.as_str())
        .bind(json(&incident.content, "incidents.content")?)
        .bind(bound(incident.seen)?)
        .bind(bound(incident.reopened)?)
        .bind(incident.last_seen_at)
        .bind(incident.next_try_at)
        .bind(incident.quiet_since);
    let query = signed(query, &incident.acknowledged);
    Ok(signed(query, &incident.closed)
        .bind(incident.alerted_at)
        .bind(incident.waiting_since)
        .bind(bound(incident.escalations)?)
        .bind(json(&incident.told, "incidents.told")?)
        .bind(bound(incident.version)?))
}

/// Inserts or updates; false when the version is another by now, or another with its key is
/// open.
async fn put_incident(
    connection: &mut PgConnection,
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
            let places = places(&[CHANGING_COLUMNS], 3, place);
            let sql = format!(
                "UPDATE incidents SET ({CHANGING_COLUMNS}) = {places} \
                 WHERE incident_id = $1 AND version = $2"
            );
            let query = sqlx::query(AssertSqlSafe(sql))
                .bind(clean(&incident.incident_id))
                .bind(bound(version)?);
            bind_changing(query, incident)?.execute(connection).await
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

async fn put_event(connection: &mut PgConnection, event: &IncidentEvent) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO incident_events ({EVENT_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT DO NOTHING"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(&event.event_id)
        .bind(clean(&event.incident_id))
        .bind(bound(event.number)?)
        .bind(event.at)
        .bind(event.what.as_str())
        .bind(clean(&event.actor))
        .bind(clean(&event.note))
        .execute(connection)
        .await
        .map(drop)
        .map_err(failed("writing what happened to an incident"))
}

#[async_trait]
impl IncidentStore for PgStore {
    async fn write_incident(&self, write: &IncidentWrite) -> Result<bool, StoreError> {
        let what = "writing an incident";
        let mut tx = self.pool.begin().await.map_err(failed(what))?;
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
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents WHERE incident_id = $1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean(incident_id))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an incident"))?
            .as_ref()
            .map(incident_record)
            .transpose()
    }

    async fn latest_incident(&self, key: &str) -> Result<Option<IncidentRecord>, StoreError> {
        let sql = format!(
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents WHERE incident_key = $1 \
             ORDER BY (state = 'open') DESC, opened_at DESC, incident_id DESC LIMIT 1"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean(key))
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
        let (before_time, before_id) = before.unzip();
        let sql = format!(
            "SELECT {FIXED_COLUMNS}, {CHANGING_COLUMNS} FROM incidents \
             WHERE ($1::text IS NULL OR state = $1) \
             AND ($2::timestamptz IS NULL OR (opened_at, incident_id) < ($2, $3)) \
             ORDER BY opened_at DESC, incident_id DESC LIMIT $4"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(state.map(IncidentState::as_str))
            .bind(before_time)
            .bind(before_id)
            .bind(i64::from(limit))
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
             WHERE state = 'open' OR (state = 'closed' AND closed_at > $1)"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(closed_after)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading the open incidents"))?
            .iter()
            .map(incident_record)
            .collect()
    }

    async fn incident_events(&self, incident_id: &str) -> Result<Vec<IncidentEvent>, StoreError> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM incident_events WHERE incident_id = $1 \
             ORDER BY at, number, event_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(clean(incident_id))
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
