//! Changes that wait for a second person.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::audit::AuditRecord;
use returns_model::proposal::{Decision, Proposal};

use super::SqlStore;
use super::audit::append_audit;
use crate::columns::json;
use crate::db::{Record, statement};
use crate::{ProposalStore, StoreError};

const PROPOSALS: &str = "SELECT proposal_id, change, summary, proposed_by, reason, proposed_at, \
     expires_at, approved, decided_by, decided_at FROM proposals";

fn proposal(row: &Record) -> Result<Proposal, StoreError> {
    let decision = match row.optional_text("decided_by")? {
        None => None,
        Some(by) => Some(Decision {
            approved: row.flag("approved")?,
            by,
            at: row.time("decided_at")?,
        }),
    };
    Ok(Proposal {
        proposal_id: row.text("proposal_id")?,
        change: row.json("change", "proposals.change")?,
        summary: row.text("summary")?,
        proposed_by: row.text("proposed_by")?,
        reason: row.text("reason")?,
        proposed_at: row.time("proposed_at")?,
        expires_at: row.time("expires_at")?,
        decision,
    })
}

#[async_trait]
impl ProposalStore for SqlStore {
    async fn propose(&self, proposal: &Proposal, audit: &AuditRecord) -> Result<(), StoreError> {
        let what = "propose a change";
        let mut tx = self.db.begin(what).await?;
        statement(
            what,
            "INSERT INTO proposals (proposal_id, change, summary, proposed_by, reason, \
             proposed_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&proposal.proposal_id)
        .bind(json(&proposal.change, "a proposal")?)
        .bind(&proposal.summary)
        .bind(&proposal.proposed_by)
        .bind(&proposal.reason)
        .bind(proposal.proposed_at)
        .bind(proposal.expires_at)
        .execute(&mut tx)
        .await?;
        append_audit(&mut tx, audit).await?;
        tx.commit(what).await
    }

    async fn proposal(&self, proposal_id: &str) -> Result<Option<Proposal>, StoreError> {
        let sql = format!("{PROPOSALS} WHERE proposal_id = $1");
        statement("read a proposal", sql)
            .bind(proposal_id)
            .optional(&self.db, proposal)
            .await
    }

    async fn proposals(
        &self,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        let (at, id) = before.unzip();
        let sql = format!(
            "{PROPOSALS} WHERE $1 IS NULL OR (proposed_at, proposal_id) < ($1, $2) \
             ORDER BY proposed_at DESC, proposal_id DESC LIMIT $3"
        );
        statement("list proposals", sql)
            .bind(at)
            .bind(id)
            .bind(limit)
            .list(&self.db, proposal)
            .await
    }

    async fn decide_proposal(
        &self,
        proposal_id: &str,
        decision: &Decision,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError> {
        let what = "decide a proposal";
        let mut tx = self.db.begin(what).await?;
        let decided = statement(
            what,
            "UPDATE proposals SET approved = $2, decided_by = $3, decided_at = $4 \
             WHERE proposal_id = $1 AND approved IS NULL AND expires_at > $4",
        )
        .bind(proposal_id)
        .bind(decision.approved)
        .bind(&decision.by)
        .bind(decision.at)
        .execute(&mut tx)
        .await?;
        if decided != 1 {
            return Ok(false);
        }
        append_audit(&mut tx, audit).await?;
        tx.commit(what).await?;
        Ok(true)
    }

    async fn reopen_proposal(&self, proposal_id: &str) -> Result<(), StoreError> {
        statement(
            "let a proposal wait again",
            "UPDATE proposals SET approved = NULL, decided_by = NULL, decided_at = NULL \
             WHERE proposal_id = $1",
        )
        .bind(proposal_id)
        .execute(&self.db)
        .await
        .map(drop)
    }
}
