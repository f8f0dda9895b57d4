//! What is encrypted in the database, when the keys are rotated.

use async_trait::async_trait;

use crate::StoreError;

/// A text that is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    pub place: SealedPlace,
    pub sealed: String,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedPlace {
    /// The key of an endpoint.
    Webhook { secret_id: String },
    /// The answer to a request that can be repeated.
    Answer {
        identity: String,
        request_id: String,
    },
}

/// Rotation of keys.
#[async_trait]
pub trait SealedStore: Send + Sync {
    /// What is not encrypted to this key, at most `limit` of each kind.
    async fn sealed_before(&self, key_id: &str, limit: u32) -> Result<Vec<SealedText>, StoreError>;
    /// Replaces an encrypted text by the same one, encrypted to another key; false when it has changed
    /// meanwhile.
    async fn reseal(&self, before: &SealedText, sealed: &str) -> Result<bool, StoreError>;
    /// Renames a file of the spool in the record of its import; false when none has it.
    async fn respool(&self, before: &str, name: &str) -> Result<bool, StoreError>;
}
