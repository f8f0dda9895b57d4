//! Who works on what.

use std::time::Duration;

use async_trait::async_trait;

use super::SqlStore;
use super::imports::import_id;
use crate::columns::milliseconds;
use crate::db::statement;
use crate::{LeaseStore, ParkedImport, StoreError};

/// An import that ended the process this often, at the same place, is not tried again.
const MOST_ENDINGS: u32 = 2;

#[async_trait]
impl LeaseStore for SqlStore {
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let syntax = self.db.syntax();
        let sql = format!(
            "INSERT INTO leases (name, owner, until) VALUES ($1, $2, {}) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE leases.owner = excluded.owner OR leases.until <= {}",
            syntax.now_plus("$3"),
            syntax.now()
        );
        let done = statement("take a lease", sql)
            .bind(name)
            .bind(owner)
            .bind(milliseconds(lease)?)
            .execute(&self.db)
            .await?;
        Ok(done == 1)
    }

    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        statement(
            "give a lease back",
            "DELETE FROM leases WHERE name = $1 AND owner = $2",
        )
        .bind(name)
        .bind(owner)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn claim_imports(
        &self,
        owner: &str,
        besides: &[String],
        limit: u32,
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        let what = "claim imports";
        let syntax = self.db.syntax();
        let free = format!(
            "SELECT import_id AS free_id FROM imports WHERE phase IN ('checking', 'deciding') \
             AND (claimed_by IS NULL OR claimed_by = $1 OR claimed_until <= {}) \
             AND import_id {} AND work_begun < {MOST_ENDINGS} \
             ORDER BY received_at, import_id LIMIT $3 {}",
            syntax.now(),
            syntax.none_of("$2"),
            syntax.for_update_skip_locked()
        );
        if syntax.has_one_writer() {
            let what = "look for imports to claim";
            let found = statement(what, format!("SELECT EXISTS ({free}) AS found"))
                .bind(owner)
                .bind(besides)
                .bind(limit)
                .one(&self.db, |row| row.flag("found"))
                .await?;
            if !found {
                return Ok(Vec::new());
            }
        }
        // Materialized, so that it is looked up once and the limit holds.
        let sql = format!(
            "WITH free AS MATERIALIZED ({free}) \
             UPDATE imports SET claimed_by = $1, claimed_until = {} \
             FROM free WHERE import_id = free_id RETURNING import_id",
            syntax.now_plus("$4")
        );
        statement(what, sql)
            .bind(owner)
            .bind(besides)
            .bind(limit)
            .bind(milliseconds(lease)?)
            .list(&self.db, import_id)
            .await
    }

    async fn renew_claims(
        &self,
        owner: &str,
        import_ids: &[String],
        lease: Duration,
    ) -> Result<Vec<String>, StoreError> {
        let syntax = self.db.syntax();
        let sql = format!(
            "UPDATE imports SET claimed_until = {} WHERE claimed_by = $1 AND import_id {} \
             RETURNING import_id",
            syntax.now_plus("$2"),
            syntax.one_of("$3")
        );
        statement("renew claims", sql)
            .bind(owner)
            .bind(milliseconds(lease)?)
            .bind(import_ids)
            .list(&self.db, import_id)
            .await
    }

    async fn release_import(&self, import_id: &str, owner: &str) -> Result<(), StoreError> {
        statement(
            "give an import back",
            "UPDATE imports SET claimed_by = NULL, claimed_until = NULL \
             WHERE import_id = $1 AND claimed_by = $2",
        )
        .bind(import_id)
        .bind(owner)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn begin_work(&self, import_id: &str) -> Result<bool, StoreError> {
        statement(
            "record that work on an import begins",
            "UPDATE imports SET work_begun = work_begun + 1 \
             WHERE import_id = $1 AND work_begun < $2",
        )
        .bind(import_id)
        .bind(MOST_ENDINGS)
        .execute(&self.db)
        .await
        .map(|done| done == 1)
    }

    async fn end_work(&self, import_id: &str) -> Result<(), StoreError> {
        statement(
            "record that work on an import ended",
            "UPDATE imports SET work_begun = work_begun - 1 \
             WHERE import_id = $1 AND work_begun > 0",
        )
        .bind(import_id)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn parked_imports(&self) -> Result<Vec<ParkedImport>, StoreError> {
        let sql = format!(
            "SELECT import_id, source FROM imports WHERE phase IN ('checking', 'deciding') \
             AND work_begun >= $1 AND (claimed_by IS NULL OR claimed_until <= {}) \
             ORDER BY received_at, import_id",
            self.db.syntax().now()
        );
        statement("list parked imports", sql)
            .bind(MOST_ENDINGS)
            .list(&self.db, |row| {
                Ok(ParkedImport {
                    import_id: row.text("import_id")?,
                    source: row.text("source")?,
                })
            })
            .await
    }

    async fn retry_import(&self, import_id: &str) -> Result<bool, StoreError> {
        statement(
            "let an import be tried again",
            "UPDATE imports SET work_begun = 0 WHERE import_id = $1 AND work_begun >= $2 \
             AND phase IN ('checking', 'deciding')",
        )
        .bind(import_id)
        .bind(MOST_ENDINGS)
        .execute(&self.db)
        .await
        .map(|done| done == 1)
    }
}
