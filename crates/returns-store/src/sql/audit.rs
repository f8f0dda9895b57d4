//! The audit log.

use async_trait::async_trait;
use chrono::SubsecRound as _;
use returns_model::audit::{AuditEntry, AuditFilter, AuditRecord, StoredAudit, audit_hash};
use returns_model::journal::{Hash, Head};

use super::SqlStore;
use crate::columns::{bound, json, unreadable};
use crate::db::{Record, Transaction, statement};
use crate::{AuditStore, StoreError};

const COLUMNS: &str = "position, hash, payload, at, identity, action, subject, request_id";

/// Appends a record, last in its transaction: whoever appends next waits until that ends.
pub(super) async fn append_audit(
    tx: &mut Transaction,
    audit: &AuditRecord,
) -> Result<(), StoreError> {
    let what = "append to the audit log";
    let payload = json(audit, "an audit record")?;
    let head = statement(
        what,
        "UPDATE audit_head SET position = position + 1 WHERE one = 1 \
         RETURNING position, hash, (SELECT journal_id FROM journal_head) AS journal_id",
    )
    .one(&mut *tx, head)
    .await?;
    // As every database holds it.
    let at = audit.at.trunc_subsecs(6);
    let hash = audit_hash(head.journal_id, head.position, &head.hash, at, &payload);
    let [identity, action, subject, request_id] = audit.columns();
    statement(
        what,
        format!("INSERT INTO audit ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
    )
    .bind(bound(head.position)?)
    .bind(hash.as_bytes())
    .bind(payload)
    .bind(at)
    .bind(identity)
    .bind(action)
    .bind(subject)
    .bind(request_id)
    .execute(&mut *tx)
    .await?;
    statement(what, "UPDATE audit_head SET hash = $1 WHERE one = 1")
        .bind(hash.as_bytes())
        .execute(&mut *tx)
        .await
        .map(drop)
}

fn head(row: &Record) -> Result<Head, StoreError> {
    let id = row.text("journal_id")?;
    Ok(Head {
        journal_id: id
            .parse()
            .map_err(|error| unreadable("journal_id", error))?,
        position: row.count("position")?,
        hash: Hash::from_bytes(row.bytes("hash")?),
    })
}

fn entry(row: &Record) -> Result<AuditEntry, StoreError> {
    let mut record: AuditRecord = row.json("payload", "audit.payload")?;
    record.at = row.time("at")?;
    Ok(AuditEntry {
        position: row.count("position")?,
        hash: Hash::from_bytes(row.bytes("hash")?),
        record,
    })
}

fn stored(row: &Record) -> Result<StoredAudit, StoreError> {
    Ok(StoredAudit {
        position: row.count("position")?,
        hash: Hash::from_bytes(row.bytes("hash")?),
        payload: row.text("payload")?,
        at: row.time("at")?,
        columns: [
            row.text("identity")?,
            row.text("action")?,
            row.text("subject")?,
            row.text("request_id")?,
        ],
    })
}

#[async_trait]
impl AuditStore for SqlStore {
    async fn record_audit(&self, audit: &AuditRecord) -> Result<(), StoreError> {
        let what = "record what was done";
        let mut tx = self.db.begin(what).await?;
        append_audit(&mut tx, audit).await?;
        tx.commit(what).await
    }

    async fn audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let before = filter.before.map(bound).transpose()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE ($1 IS NULL OR identity = $1) \
             AND ($2 IS NULL OR action = $2) AND ($3 IS NULL OR subject = $3) \
             AND ($4 IS NULL OR request_id = $4) AND ($5 IS NULL OR at >= $5) \
             AND ($6 IS NULL OR at < $6) AND ($7 IS NULL OR position < $7) \
             ORDER BY position DESC LIMIT $8"
        );
        statement("list the audit log", sql)
            .bind(&filter.identity)
            .bind(&filter.action)
            .bind(&filter.subject)
            .bind(&filter.request_id)
            .bind(filter.since)
            .bind(filter.until)
            .bind(before)
            .bind(limit)
            .list(&self.db, entry)
            .await
    }

    async fn stored_audit(&self, after: u64, limit: u32) -> Result<Vec<StoredAudit>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM audit WHERE position > $1 ORDER BY position LIMIT $2");
        statement("read the audit log's columns", sql)
            .bind(bound(after)?)
            .bind(limit)
            .list(&self.db, stored)
            .await
    }

    async fn audit_head(&self) -> Result<Head, StoreError> {
        statement(
            "read the audit log's head",
            "SELECT a.position, a.hash, j.journal_id FROM audit_head a, journal_head j",
        )
        .one(&self.db, head)
        .await
    }
}
