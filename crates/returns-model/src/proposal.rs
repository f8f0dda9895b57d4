//! Changes that wait for a second person.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long a proposal can be approved.
pub const APPROVABLE: TimeDelta = TimeDelta::days(1);

/// What is proposed, with what is needed to do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ProposedChange {
    /// A database's cursor is moved.
    AdoptCursor {
        database: String,
        /// 0 lets the service choose.
        position: u64,
    },
    /// A hold is closed without effect.
    DismissHold { hold_id: String },
}

impl ProposedChange {
    /// The action, as the audit log has it.
    pub fn action(&self) -> &'static str {
        match self {
            Self::AdoptCursor { .. } => "adopt_cursor",
            Self::DismissHold { .. } => "dismiss_hold",
        }
    }

    /// What it is about.
    pub fn subject(&self) -> String {
        match self {
            Self::AdoptCursor { database, .. } => format!("database:{database}"),
            Self::DismissHold { hold_id } => format!("hold:{hold_id}"),
        }
    }
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub proposal_id: String,
    pub change: ProposedChange,
    /// What it would do, in a sentence.
    pub summary: String,
    pub proposed_by: String,
    pub reason: String,
    pub proposed_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// `None` while it waits.
    pub decision: Option<Decision>,
}

/// What a second person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub approved: bool,
    pub by: String,
    pub at: DateTime<Utc>,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    Open,
    Approved,
    Rejected,
    Expired,
}

impl Proposal {
    /// What became of it by now.
    pub fn state(&self, now: DateTime<Utc>) -> ProposalState {
        match &self.decision {
            Some(decision) if decision.approved => ProposalState::Approved,
            Some(_) => ProposalState::Rejected,
            None if self.expires_at <= now => ProposalState::Expired,
            None => ProposalState::Open,
        }
    }
}
