//! Endpoints and their keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::endpoint::{Endpoint, EndpointChange, SecretRecord};
use returns_model::job::AuditRecord;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::SqliteStore;
use super::codec::time_text;
use super::jobs::insert_audit;
use crate::StoreError;
use crate::columns::{bound, failed, json};
use crate::webhook::WebhookStore;
use crate::webhook_rows::{ENDPOINTS, SECRETS, endpoint, secret};

#[async_trait]
impl WebhookStore for SqliteStore {
    async fn create_endpoint(
        &self,
        endpoint: &Endpoint,
        secrets: &[SecretRecord],
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let what = "keeping an endpoint";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let settings = &endpoint.settings;
        let done = sqlx::query(
            "INSERT INTO webhook_endpoints (endpoint_id, url, description, owner_email, style, \
             api_version, payload_version, event_types, merchant, ordered, state, created_at, \
             updated_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'enabled', \
             ?11, ?11, 0) ON CONFLICT DO NOTHING",
        )
        .bind(&endpoint.endpoint_id)
        .bind(&settings.url)
        .bind(&settings.description)
        .bind(&settings.owner_email)
        .bind(settings.style.as_str())
        .bind(&settings.api_version)
        .bind(settings.payload_version.as_str())
        .bind(json(&settings.event_types, "event types")?)
        .bind(&settings.merchant)
        .bind(settings.ordered)
        .bind(time_text(endpoint.created_at))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        for secret in secrets {
            insert_secret(&mut tx, secret).await?;
        }
        insert_audit(&mut tx, audit).await?;
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    async fn change_endpoint(&self, change: &EndpointChange) -> Result<bool, StoreError> {
        let what = "changing an endpoint";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let endpoint = &change.endpoint;
        if change.forget_failures {
            release(&mut tx, endpoint).await?;
        }
        let settings = &endpoint.settings;
        let done = sqlx::query(
            "UPDATE webhook_endpoints SET url = ?3, description = ?4, owner_email = ?5, \
             event_types = ?6, merchant = ?7, ordered = ?8, state = ?9, disabled_why = ?10, \
             updated_at = ?11, version = version + 1, \
             failing_since = CASE WHEN ?12 THEN NULL ELSE failing_since END, \
             owner_state = CASE ?13 WHEN 'keep' THEN owner_state WHEN 'tell' THEN 'waiting' END, \
             owner_since = CASE ?13 WHEN 'keep' THEN owner_since WHEN 'tell' THEN ?11 END, \
             owner_next_at = CASE ?13 WHEN 'keep' THEN owner_next_at WHEN 'tell' THEN ?11 END, \
             owner_attempts = CASE ?13 WHEN 'keep' THEN owner_attempts ELSE 0 END, \
             owner_told_at = CASE ?13 WHEN 'keep' THEN owner_told_at END, \
             owner_error = CASE ?13 WHEN 'keep' THEN owner_error END \
             WHERE endpoint_id = ?1 AND version = ?2",
        )
        .bind(&endpoint.endpoint_id)
        .bind(bound(endpoint.version)?)
        .bind(&settings.url)
        .bind(&settings.description)
        .bind(&settings.owner_email)
        .bind(json(&settings.event_types, "event types")?)
        .bind(&settings.merchant)
        .bind(settings.ordered)
        .bind(if endpoint.is_enabled() {
            "enabled"
        } else {
            "disabled"
        })
        .bind(&endpoint.disabled_why)
        .bind(time_text(endpoint.updated_at))
        .bind(change.forget_failures)
        .bind(change.owner.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        insert_audit(&mut tx, &change.audit).await?;
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    async fn endpoint(&self, endpoint_id: &str) -> Result<Option<Endpoint>, StoreError> {
        sqlx::query(AssertSqlSafe(format!("{ENDPOINTS} WHERE endpoint_id = ?1")))
            .bind(endpoint_id)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading an endpoint"))?
            .as_ref()
            .map(endpoint)
            .transpose()
    }

    async fn endpoints(
        &self,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let (at, id) = after.unzip();
        let sql = format!(
            "{ENDPOINTS} WHERE ?1 IS NULL OR (created_at, endpoint_id) > (?1, ?2) \
             ORDER BY created_at, endpoint_id LIMIT ?3"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(at.map(time_text))
            .bind(id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(failed("listing endpoints"))?
            .iter()
            .map(endpoint)
            .collect()
    }

    async fn add_secret(
        &self,
        secret: &SecretRecord,
        seen_version: u64,
        old_retires_at: DateTime<Utc>,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let what = "adding a key to an endpoint";
        let mut tx = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(what))?;
        let done = sqlx::query(
            "UPDATE webhook_endpoints SET updated_at = ?3, version = version + 1 \
             WHERE endpoint_id = ?1 AND version = ?2",
        )
        .bind(&secret.endpoint_id)
        .bind(bound(seen_version)?)
        .bind(time_text(secret.created_at))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        if done.rows_affected() != 1 {
            return Ok(false);
        }
        // The current one retires later; one that was retiring already does so at once.
        sqlx::query(
            "UPDATE webhook_secrets \
             SET retires_at = CASE WHEN retires_at IS NULL THEN ?4 ELSE ?3 END \
             WHERE endpoint_id = ?1 AND kind = ?2 AND (retires_at IS NULL OR retires_at > ?3)",
        )
        .bind(&secret.endpoint_id)
        .bind(secret.kind.as_str())
        .bind(time_text(secret.created_at))
        .bind(time_text(old_retires_at))
        .execute(&mut *tx)
        .await
        .map_err(failed(what))?;
        insert_secret(&mut tx, secret).await?;
        insert_audit(&mut tx, audit).await?;
        tx.commit().await.map_err(failed(what))?;
        Ok(true)
    }

    async fn active_secrets(
        &self,
        endpoint_id: &str,
        at: DateTime<Utc>,
    ) -> Result<Vec<SecretRecord>, StoreError> {
        let sql = format!(
            "{SECRETS} WHERE endpoint_id = ?1 AND (retires_at IS NULL OR retires_at > ?2) \
             ORDER BY created_at DESC, secret_id"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(endpoint_id)
            .bind(time_text(at))
            .fetch_all(&self.pool)
            .await
            .map_err(failed("reading an endpoint's keys"))?
            .iter()
            .map(secret)
            .collect()
    }
}

/// Makes due what waits for an endpoint; an attempt that is on its way does not count. It comes
/// before the change itself: whoever records an attempt takes the two in this order.
async fn release(connection: &mut SqliteConnection, endpoint: &Endpoint) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_deliveries SET next_attempt_at = ?2, generation = generation + 1 \
         WHERE endpoint_id = ?1 AND state = 'pending'",
    )
    .bind(&endpoint.endpoint_id)
    .bind(time_text(endpoint.updated_at))
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("making due what waits for an endpoint"))
}

async fn insert_secret(
    connection: &mut SqliteConnection,
    secret: &SecretRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO webhook_secrets (secret_id, endpoint_id, kind, sealed, public_key, \
         created_at, retires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(&secret.secret_id)
    .bind(&secret.endpoint_id)
    .bind(secret.kind.as_str())
    .bind(&secret.sealed)
    .bind(&secret.public_key)
    .bind(time_text(secret.created_at))
    .bind(secret.retires_at.map(time_text))
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("keeping a key"))
}
