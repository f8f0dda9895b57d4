//! The audit log, requests that can be repeated, and changes that wait for a second person.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use returns_model::audit::{AuditEntry, AuditFilter, AuditRecord, StoredAudit};
use returns_model::journal::Head;
use returns_model::proposal::{Decision, Proposal};

use crate::StoreError;

/// Who did what.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Appends a record that belongs to no other change.
    async fn record_audit(&self, audit: &AuditRecord) -> Result<(), StoreError>;
    /// Records, newest first.
    async fn audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;
    /// Records after a position, in order, as their columns have them.
    async fn stored_audit(&self, after: u64, limit: u32) -> Result<Vec<StoredAudit>, StoreError>;
    /// Where the log ends.
    async fn audit_head(&self) -> Result<Head, StoreError>;
}

/// A request that its caller has given an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey<'a> {
    /// Who calls.
    pub identity: &'a str,
    /// The id.
    pub request_id: &'a str,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownRequest {
    /// Nothing was: it is claimed now.
    New,
    /// Somebody else works on it.
    Claimed,
    /// Whoever worked on it is gone; it is claimed again now.
    Left,
    /// It was answered: its arguments, and the answer as it was kept.
    Answered { answer: String },
    /// It had other arguments.
    Other,
}

/// Requests that can be repeated.
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Claims a request for `lease` unless somebody has, or it was answered.
    async fn begin_request(
        &self,
        key: RequestKey<'_>,
        arguments: &str,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<KnownRequest, StoreError>;
    /// Prolongs the claim on a request.
    async fn renew_request(&self, key: RequestKey<'_>, lease: Duration) -> Result<(), StoreError>;
    /// Keeps the answer to a request.
    async fn answer_request(&self, key: RequestKey<'_>, answer: &str) -> Result<(), StoreError>;
    /// Forgets a request that had no effect.
    async fn forget_request(&self, key: RequestKey<'_>) -> Result<(), StoreError>;
    /// Forgets requests that began before a moment; gives how many.
    async fn forget_requests(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}

/// Changes that wait for a second person.
#[async_trait]
pub trait ProposalStore: Send + Sync {
    /// Keeps a proposal, with its record.
    async fn propose(&self, proposal: &Proposal, audit: &AuditRecord) -> Result<(), StoreError>;
    /// One proposal.
    async fn proposal(&self, proposal_id: &str) -> Result<Option<Proposal>, StoreError>;
    /// Proposals, newest first, those that were made before `before` (time and id).
    async fn proposals(
        &self,
        before: Option<(DateTime<Utc>, String)>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError>;
    /// Decides a proposal that waits and has not expired, with its record. False when it does not.
    async fn decide_proposal(
        &self,
        proposal_id: &str,
        decision: &Decision,
        audit: &AuditRecord,
    ) -> Result<bool, StoreError>;
    /// Lets a proposal wait again, since what was approved could not be done.
    async fn reopen_proposal(&self, proposal_id: &str) -> Result<(), StoreError>;
}
