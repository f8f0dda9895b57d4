//! Endpoints and their keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::audit::AuditRecord;
use returns_model::endpoint::{Endpoint, EndpointChange, SecretRecord};

use super::SqlStore;
use super::audit::append_audit;
use super::webhook_rows::{ENDPOINTS, SECRETS, endpoint, secret};
use crate::StoreError;
use crate::columns::{bound, json};
use crate::db::{Insert, Statement, Transaction, insert_all, statement};
use crate::webhook::WebhookStore;

fn insert_endpoint(endpoint: &Endpoint) -> Result<Statement, StoreError> {
    let settings = &endpoint.settings;
    Ok(statement(
        "create an endpoint",
        "INSERT INTO webhook_endpoints (endpoint_id, url, description, owner_email, style, \
         api_version, payload_version, event_types, merchant, ordered, state, created_at, \
         updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'enabled', \
         $11, $11, 0) ON CONFLICT DO NOTHING",
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
    .bind(endpoint.created_at))
}

/// Changes an endpoint that still has the version that was seen.
fn update_endpoint(change: &EndpointChange) -> Result<Statement, StoreError> {
    let endpoint = &change.endpoint;
    let settings = &endpoint.settings;
    Ok(statement(
        "change an endpoint",
        "UPDATE webhook_endpoints SET url = $3, description = $4, owner_email = $5, \
         event_types = $6, merchant = $7, ordered = $8, state = $9, disabled_why = $10, \
         updated_at = $11, version = version + 1, \
         failing_since = CASE WHEN $12 THEN NULL ELSE failing_since END, \
         owner_state = CASE $13 WHEN 'keep' THEN owner_state WHEN 'notify' THEN 'waiting' END, \
         owner_since = CASE $13 WHEN 'keep' THEN owner_since WHEN 'notify' THEN $11 END, \
         owner_next_at = CASE $13 WHEN 'keep' THEN owner_next_at WHEN 'notify' THEN $11 END, \
         owner_attempts = CASE $13 WHEN 'keep' THEN owner_attempts ELSE 0 END, \
         owner_notified_at = CASE $13 WHEN 'keep' THEN owner_notified_at END, \
         owner_error = CASE $13 WHEN 'keep' THEN owner_error END \
         WHERE endpoint_id = $1 AND version = $2",
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
    .bind(endpoint.updated_at)
    .bind(change.forget_failures)
    .bind(change.owner.as_str()))
}

/// Makes due what waits for an endpoint; an attempt that is on its way does not count. It comes
/// before the change itself: recording an attempt takes the two in this order.
fn release(endpoint: &Endpoint) -> Statement {
    statement(
        "make due what waits for an endpoint",
        "UPDATE webhook_deliveries SET next_attempt_at = $2, generation = generation + 1 \
         WHERE endpoint_id = $1 AND state = 'pending'",
    )
    .bind(&endpoint.endpoint_id)
    .bind(endpoint.updated_at)
}

async fn insert_secrets(tx: &mut Transaction, secrets: &[SecretRecord]) -> Result<(), StoreError> {
    let insert = Insert {
        what: "record a key",
        table: "webhook_secrets",
        columns: "secret_id, endpoint_id, kind, sealed, public_key, created_at, retires_at",
        end: "",
    };
    let row = |secret: &SecretRecord| {
        vec![
            (&secret.secret_id).into(),
            (&secret.endpoint_id).into(),
            secret.kind.as_str().into(),
            (&secret.sealed).into(),
            (&secret.public_key).into(),
            secret.created_at.into(),
            secret.retires_at.into(),
        ]
    };
    insert_all(tx, &insert, secrets.iter().map(row).collect()).await
}

#[async_trait]
impl WebhookStore for SqlStore {
    async fn create_endpoint(
        &self,
        endpoint: &Endpoint,
        secrets: &[SecretRecord],
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let what = "create an endpoint";
        let mut tx = self.db.begin(what).await?;
        if insert_endpoint(endpoint)?.execute(&mut tx).await? != 1 {
            return Ok(false);
        }
        insert_secrets(&mut tx, secrets).await?;
        append_audit(&mut tx, audit).await?;
        tx.commit(what).await?;
        Ok(true)
    }

    async fn change_endpoint(&self, change: &EndpointChange) -> Result<bool, StoreError> {
        let what = "change an endpoint";
        let mut tx = self.db.begin(what).await?;
        if change.forget_failures {
            release(&change.endpoint).execute(&mut tx).await?;
        }
        if update_endpoint(change)?.execute(&mut tx).await? != 1 {
            return Ok(false);
        }
        append_audit(&mut tx, &change.audit).await?;
        tx.commit(what).await?;
        Ok(true)
    }

    async fn endpoint(&self, endpoint_id: &str) -> Result<Option<Endpoint>, StoreError> {
        let sql = format!("{ENDPOINTS} WHERE endpoint_id = $1");
        statement("read an endpoint", sql)
            .bind(endpoint_id)
            .optional(&self.db, endpoint)
            .await
    }

    async fn endpoints(
        &self,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError> {
        let (at, id) = after.unzip();
        let sql = format!(
            "{ENDPOINTS} WHERE $1 IS NULL OR (created_at, endpoint_id) > ($1, $2) \
             ORDER BY created_at, endpoint_id LIMIT $3"
        );
        statement("list endpoints", sql)
            .bind(at)
            .bind(id)
            .bind(limit)
            .list(&self.db, endpoint)
            .await
    }

    async fn add_secret(
        &self,
        secret: &SecretRecord,
        seen_version: u64,
        old_retires_at: DateTime<Utc>,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let what = "add a key to an endpoint";
        let mut tx = self.db.begin(what).await?;
        let seen = statement(
            what,
            "UPDATE webhook_endpoints SET updated_at = $3, version = version + 1 \
             WHERE endpoint_id = $1 AND version = $2",
        )
        .bind(&secret.endpoint_id)
        .bind(bound(seen_version)?)
        .bind(secret.created_at);
        if seen.execute(&mut tx).await? != 1 {
            return Ok(false);
        }
        // The current one retires later; one that was retiring already does so at once.
        statement(
            what,
            "UPDATE webhook_secrets \
             SET retires_at = CASE WHEN retires_at IS NULL THEN $4 ELSE $3 END \
             WHERE endpoint_id = $1 AND kind = $2 AND (retires_at IS NULL OR retires_at > $3)",
        )
        .bind(&secret.endpoint_id)
        .bind(secret.kind.as_str())
        .bind(secret.created_at)
        .bind(old_retires_at)
        .execute(&mut tx)
        .await?;
        insert_secrets(&mut tx, std::slice::from_ref(secret)).await?;
        append_audit(&mut tx, audit).await?;
        tx.commit(what).await?;
        Ok(true)
    }

    async fn active_secrets(
        &self,
        endpoint_id: &str,
        at: DateTime<Utc>,
    ) -> Result<Vec<SecretRecord>, StoreError> {
        let sql = format!(
            "{SECRETS} WHERE endpoint_id = $1 AND (retires_at IS NULL OR retires_at > $2) \
             ORDER BY created_at DESC, secret_id"
        );
        statement("read an endpoint's keys", sql)
            .bind(endpoint_id)
            .bind(at)
            .list(&self.db, secret)
            .await
    }
}
