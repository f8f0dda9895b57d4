//! Decisions about cursors.

use chrono::{DateTime, Utc};
use returns_model::adoption::Adoption;
use returns_model::ids::hex;

use super::SqliteStore;
use super::codec::time_text;
use crate::StoreError;
use crate::columns::{bound, failed};

impl SqliteStore {
    pub(super) async fn write_adoption(&self, adoption: &Adoption) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO adoptions (adoption_id, database, from_journal, from_position, \
             from_hash, to_position, to_hash, actor, reason, decided_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&adoption.id)
        .bind(&adoption.database)
        .bind(&adoption.from.journal_id)
        .bind(bound(adoption.from.position)?)
        .bind(hex(&adoption.from.hash))
        .bind(bound(adoption.to.position)?)
        .bind(hex(&adoption.to.hash))
        .bind(&adoption.actor)
        .bind(&adoption.reason)
        .bind(time_text(adoption.decided_at))
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
        sqlx::query("UPDATE adoptions SET adopted_at = ? WHERE adoption_id = ?")
            .bind(time_text(at))
            .bind(adoption_id)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(failed("keeping that an adoption is done"))
    }
}
