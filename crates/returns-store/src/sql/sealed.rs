//! What is encrypted in the database, when the keys are rotated.

use async_trait::async_trait;

use super::SqlStore;
use crate::StoreError;
use crate::db::statement;
use crate::sealed::{SealedPlace, SealedStore, SealedText};

#[async_trait]
impl SealedStore for SqlStore {
    async fn sealed_before(&self, key_id: &str, limit: u32) -> Result<Vec<SealedText>, StoreError> {
        let what = "list what is encrypted to an older key";
        // An id has letters and digits only.
        let newest = format!("{key_id}:%");
        let mut found = statement(
            what,
            "SELECT secret_id, sealed FROM webhook_secrets WHERE sealed NOT LIKE $1 \
             ORDER BY secret_id LIMIT $2",
        )
        .bind(&newest)
        .bind(i64::from(limit))
        .list(&self.db, |row| {
            let secret_id = row.text("secret_id")?;
            Ok(SealedText {
                place: SealedPlace::Webhook { secret_id },
                sealed: row.text("sealed")?,
            })
        })
        .await?;
        let answers = statement(
            what,
            "SELECT identity, request_id, answer FROM requests \
             WHERE answer IS NOT NULL AND answer NOT LIKE $1 ORDER BY identity, request_id LIMIT $2",
        )
        .bind(&newest)
        .bind(i64::from(limit))
        .list(&self.db, |row| {
            Ok(SealedText {
                place: SealedPlace::Answer {
                    identity: row.text("identity")?,
                    request_id: row.text("request_id")?,
                },
                sealed: row.text("answer")?,
            })
        })
        .await?;
        found.extend(answers);
        Ok(found)
    }

    async fn reseal(&self, before: &SealedText, sealed: &str) -> Result<bool, StoreError> {
        let what = "encrypt a text again";
        let changed =
            match &before.place {
                SealedPlace::Webhook { secret_id } => statement(
                    what,
                    "UPDATE webhook_secrets SET sealed = $1 WHERE secret_id = $2 AND sealed = $3",
                )
                .bind(sealed)
                .bind(secret_id)
                .bind(&before.sealed)
                .execute(&self.db)
                .await?,
                SealedPlace::Answer {
                    identity,
                    request_id,
                } => {
                    statement(
                        what,
                        "UPDATE requests SET answer = $1 \
                     WHERE identity = $2 AND request_id = $3 AND answer = $4",
                    )
                    .bind(sealed)
                    .bind(identity)
                    .bind(request_id)
                    .bind(&before.sealed)
                    .execute(&self.db)
                    .await?
                }
            };
        Ok(changed == 1)
    }

    async fn respool(&self, before: &str, name: &str) -> Result<bool, StoreError> {
        let changed = statement(
            "rename a file of the spool",
            "UPDATE imports SET spool_name = $1 WHERE spool_name = $2",
        )
        .bind(name)
        .bind(before)
        .execute(&self.db)
        .await?;
        Ok(changed == 1)
    }
}
