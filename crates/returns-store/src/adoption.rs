//! An operator's decisions about cursors.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::adoption::Adoption;

use crate::StoreError;

/// Adoptions in the returns database.
#[async_trait]
pub trait AdoptionStore: Send + Sync {
    /// Records an operator's decision about a cursor, before the target is asked.
    async fn record_adoption(&self, adoption: &Adoption) -> Result<(), StoreError>;
    /// Records that the target has done it.
    async fn finish_adoption(&self, adoption_id: &str, at: DateTime<Utc>)
    -> Result<(), StoreError>;
}
