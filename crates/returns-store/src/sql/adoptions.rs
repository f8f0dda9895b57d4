//! An operator's decisions about cursors.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::adoption::Adoption;
use returns_model::ids::hex;

use super::SqlStore;
use crate::columns::bound;
use crate::db::statement;
use crate::{AdoptionStore, StoreError};

#[async_trait]
impl AdoptionStore for SqlStore {
    async fn record_adoption(&self, adoption: &Adoption) -> Result<(), StoreError> {
        let from = adoption.from.as_ref();
        statement(
            "record an adoption",
            "INSERT INTO adoptions (adoption_id, database, from_journal, from_position, \
             from_hash, to_position, to_hash, actor, reason, decided_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&adoption.id)
        .bind(&adoption.database)
        .bind(from.map_or("", |from| &from.journal_id))
        .bind(bound(adoption.from_position())?)
        .bind(from.map_or_else(String::new, |from| hex(&from.hash)))
        .bind(bound(adoption.to.position)?)
        .bind(hex(&adoption.to.hash))
        .bind(&adoption.actor)
        .bind(&adoption.reason)
        .bind(adoption.decided_at)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn finish_adoption(
        &self,
        adoption_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        statement(
            "record that an adoption is done",
            "UPDATE adoptions SET adopted_at = $1 WHERE adoption_id = $2",
        )
        .bind(at)
        .bind(adoption_id)
        .execute(&self.db)
        .await
        .map(drop)
    }
}
