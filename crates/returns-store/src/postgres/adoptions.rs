//! Decisions about cursors.

use chrono::{DateTime, Utc};
use returns_model::adoption::Adoption;
use returns_model::ids::hex;

use super::PgStore;
use super::codec::clean;
use crate::StoreError;
use crate::columns::{bound, failed};

impl PgStore {
    pub(super) async fn write_adoption(&self, adoption: &Adoption) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO adoptions (adoption_id, database, from_journal, from_position, \
             from_hash, to_position, to_hash, actor, reason, decided_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&adoption.id)
        .bind(&adoption.database)
        .bind(&adoption.from.journal_id)
        .bind(bound(adoption.from.position)?)
        .bind(hex(&adoption.from.hash))
        .bind(bound(adoption.to.position)?)
        .bind(hex(&adoption.to.hash))
        .bind(clean(&adoption.actor))
        .bind(clean(&adoption.reason))
        .bind(adoption.decided_at)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(failed("keeping an adoption"))
    }

    pub(super) async fn write_adopted(
        &self,
        adoption_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE adoptions SET adopted_at = $1 WHERE adoption_id = $2")
            .bind(at)
            .bind(adoption_id)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed("keeping that an adoption is done"))
    }
}
