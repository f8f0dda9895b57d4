//! Endpoints and their keys: who is sent events, and by which keys messages are signed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::audit::AuditRecord;
use returns_model::endpoint::{Endpoint, EndpointChange, SecretRecord};

use crate::StoreError;

/// Endpoints in the returns database.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// Keeps a new endpoint with its keys. False when its id is taken.
    async fn create_endpoint(
        &self,
        endpoint: &Endpoint,
        secrets: &[SecretRecord],
        audit: &AuditRecord,
    ) -> Result<bool, StoreError>;
    /// Notifier an endpoint. False when somebody else did meanwhile.
    async fn change_endpoint(&self, change: &EndpointChange) -> Result<bool, StoreError>;
    /// One endpoint.
    async fn endpoint(&self, endpoint_id: &str) -> Result<Option<Endpoint>, StoreError>;
    /// Endpoints, in order of creation, those after `after` (time and id).
    async fn endpoints(
        &self,
        after: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<Endpoint>, StoreError>;
    /// Adds a key to an endpoint with the version that was seen. It becomes the current one of
    /// its kind; the one before signs until `old_retires_at`, older ones no longer. False when
    /// somebody else changed the endpoint meanwhile.
    async fn add_secret(
        &self,
        secret: &SecretRecord,
        seen_version: u64,
        old_retires_at: DateTime<Utc>,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError>;
    /// The keys that sign at this moment, the newest first.
    async fn active_secrets(
        &self,
        endpoint_id: &str,
        at: DateTime<Utc>,
    ) -> Result<Vec<SecretRecord>, StoreError>;
}
