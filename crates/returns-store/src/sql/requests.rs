//! Requests that can be repeated.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::SqlStore;
use crate::columns::milliseconds;
use crate::db::statement;
use crate::{KnownRequest, RequestKey, RequestStore, StoreError};

#[async_trait]
impl RequestStore for SqlStore {
    async fn begin_request(
        &self,
        key: RequestKey<'_>,
        arguments: &str,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<KnownRequest, StoreError> {
        let what = "claim a request";
        let syntax = self.db.syntax();
        let claimed = syntax.now_plus("$5");
        let insert = format!(
            "INSERT INTO requests (identity, request_id, arguments, begun_at, claimed_until) \
             VALUES ($1, $2, $3, $4, {claimed}) ON CONFLICT DO NOTHING"
        );
        let inserted = statement(what, insert)
            .bind(key.identity)
            .bind(key.request_id)
            .bind(arguments)
            .bind(now)
            .bind(milliseconds(lease)?)
            .execute(&self.db)
            .await?;
        if inserted == 1 {
            return Ok(KnownRequest::New);
        }
        let found = statement(
            what,
            "SELECT arguments, answer FROM requests WHERE identity = $1 AND request_id = $2",
        )
        .bind(key.identity)
        .bind(key.request_id)
        .optional(&self.db, |row| {
            Ok((row.text("arguments")?, row.optional_text("answer")?))
        })
        .await?;
        match found {
            // It was forgotten just now: its caller tries again.
            None => Ok(KnownRequest::Claimed),
            Some((known, _)) if known != arguments => Ok(KnownRequest::Other),
            Some((_, Some(answer))) => Ok(KnownRequest::Answered { answer }),
            Some((_, None)) => self.take_over(key, lease).await,
        }
    }

    async fn renew_request(&self, key: RequestKey<'_>, lease: Duration) -> Result<(), StoreError> {
        let until = self.db.syntax().now_plus("$3");
        let sql = format!(
            "UPDATE requests SET claimed_until = {until} WHERE identity = $1 AND request_id = $2"
        );
        statement("prolong the claim on a request", sql)
            .bind(key.identity)
            .bind(key.request_id)
            .bind(milliseconds(lease)?)
            .execute(&self.db)
            .await
            .map(drop)
    }

    async fn answer_request(&self, key: RequestKey<'_>, answer: &str) -> Result<(), StoreError> {
        statement(
            "keep the answer to a request",
            "UPDATE requests SET answer = $3 WHERE identity = $1 AND request_id = $2",
        )
        .bind(key.identity)
        .bind(key.request_id)
        .bind(answer)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn forget_request(&self, key: RequestKey<'_>) -> Result<(), StoreError> {
        statement(
            "forget a request",
            "DELETE FROM requests WHERE identity = $1 AND request_id = $2 AND answer IS NULL",
        )
        .bind(key.identity)
        .bind(key.request_id)
        .execute(&self.db)
        .await
        .map(drop)
    }

    async fn forget_requests(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        statement(
            "forget old requests",
            "DELETE FROM requests WHERE begun_at < $1",
        )
        .bind(before)
        .execute(&self.db)
        .await
    }
}

impl SqlStore {
    /// Claims a request whose claim has run out: whoever had it is gone.
    async fn take_over(
        &self,
        key: RequestKey<'_>,
        lease: Duration,
    ) -> Result<KnownRequest, StoreError> {
        let syntax = self.db.syntax();
        let sql = format!(
            "UPDATE requests SET claimed_until = {} WHERE identity = $1 AND request_id = $2 \
             AND answer IS NULL AND claimed_until <= {}",
            syntax.now_plus("$3"),
            syntax.now()
        );
        let taken = statement("take over a request", sql)
            .bind(key.identity)
            .bind(key.request_id)
            .bind(milliseconds(lease)?)
            .execute(&self.db)
            .await?;
        Ok(match taken {
            1 => KnownRequest::Left,
            _ => KnownRequest::Claimed,
        })
    }
}
