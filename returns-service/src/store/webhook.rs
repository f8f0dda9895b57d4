//! Endpoints and their keys: who is told, and by which keys messages are signed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{AuditRecord, OwnerChange, StoreError};
use crate::webhook::{Endpoint, SecretKind};

/// A signing key as it is kept: sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretRecord {
    pub(crate) secret_id: String,
    pub(crate) endpoint_id: String,
    pub(crate) kind: SecretKind,
    /// The key, encrypted to the service's own identity.
    pub(crate) sealed: String,
    /// What a receiver checks signatures with, where that is no secret.
    pub(crate) public_key: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    /// Until then it signs beside the one that came after it; `None` for the current one.
    pub(crate) retires_at: Option<DateTime<Utc>>,
}

/// A change of an endpoint. It is done only if the endpoint still is as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointChange {
    /// As it is to be. Style, version and creation stay as they are, its notice follows
    /// `owner`, and its `version` is the one that was seen.
    pub(crate) endpoint: Endpoint,
    /// Whether its failures are forgotten, and what waits for it is due at once.
    pub(crate) forget_failures: bool,
    /// What becomes of telling its owner.
    pub(crate) owner: OwnerChange,
    pub(crate) audit: AuditRecord,
}

/// Endpoints in the returns database.
#[async_trait]
pub(crate) trait WebhookStore: Send + Sync {
    /// Keeps a new endpoint with its keys. False when its id is taken.
    async fn create_endpoint(
        &self,
        endpoint: &Endpoint,
        secrets: &[SecretRecord],
        audit: &AuditRecord,
    ) -> Result<bool, StoreError>;
    /// Changes an endpoint. False when somebody else did meanwhile.
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
    /// its kind; the one before signs until `old_retires_at`, older ones no more. False when
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
