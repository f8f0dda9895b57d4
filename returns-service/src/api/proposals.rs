//! What a second person must agree to, where the configuration asks for two.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::access::Caller;
use returns_model::hold::HoldRecord;
use returns_model::proposal::{APPROVABLE, Decision, Proposal, ProposalState, ProposedChange};
use uuid::Uuid;

use super::enums::{ToProto as _, requested};
use super::errors::{self, ApiError};
use super::operator::Operator;
use super::{Api, answer, page};

/// What two people are asked for: the section `[two_people]`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TwoPeople {
    /// `adopt_cursor`: moving a database's cursor.
    pub(crate) adopt_cursor: bool,
    /// `dismiss_over_minor`: dismissing a hold over more than this, or over an amount that is not
    /// known.
    pub(crate) dismiss_over_minor: Option<i64>,
}

impl TwoPeople {
    /// Whether a hold is too large for one person to dismiss.
    pub(super) fn are_needed_to_dismiss(self, hold: &HoldRecord) -> bool {
        let Some(most) = self.dismiss_over_minor else {
            return false;
        };
        let amount = hold.new.entry.amount.map(|amount| amount.minor());
        amount.is_none_or(|amount| amount.saturating_abs() > most)
    }
}

impl Api {
    /// Keeps a change until a second person agrees; gives the proposal's id.
    pub(super) async fn propose(
        &self,
        operator: Operator<'_>,
        change: ProposedChange,
        summary: String,
    ) -> Result<String, ApiError> {
        let now = self.clock.now();
        let proposal = Proposal {
            proposal_id: format!("prop_{}", Uuid::new_v4().simple()),
            summary,
            proposed_by: operator.identity().to_owned(),
            reason: operator.reason.to_owned(),
            proposed_at: now,
            expires_at: now + APPROVABLE,
            decision: None,
            change,
        };
        let action = format!("propose_{}", proposal.change.action());
        let subject = proposal.change.subject();
        let after = format!("{}: {}", proposal.proposal_id, proposal.summary);
        let audit = operator.audit(now, (&action, subject, ("", &after)));
        self.store.propose(&proposal, &audit).await?;
        tracing::warn!(
            proposal_id = proposal.proposal_id,
            proposed_by = proposal.proposed_by,
            summary = proposal.summary,
            "a change waits for a second person"
        );
        Ok(proposal.proposal_id)
    }

    pub(super) async fn list_proposals(
        &self,
        request: proto::ListProposalsRequest,
    ) -> Result<proto::ListProposalsResponse, ApiError> {
        let size = page::size(request.page_size);
        let before = page::place(&request.page_token)?;
        let wanted = requested::<proto::ProposalState>("state", request.state)?;
        let now = self.clock.now();
        let found = self.store.proposals(before, size).await?;
        let place = |last: &Proposal| (last.proposed_at, last.proposal_id.clone());
        let end = page::next(&found, size, place);
        let (proposals, next_page_token) = answer::page(found, end, place, |one| {
            let state = one.state(now);
            let is_wanted = wanted.is_none_or(|wanted| wanted == state);
            is_wanted.then(|| self.shown(&one))
        });
        Ok(proto::ListProposalsResponse {
            proposals,
            next_page_token,
        })
    }

    pub(super) async fn approve_proposal(
        &self,
        caller: &Caller,
        request: proto::ApproveProposalRequest,
    ) -> Result<proto::ApproveProposalResponse, ApiError> {
        let operator =
            Operator::of(caller, &request.request_id, &request.reason).within_limit("reason")?;
        let proposal = self.open_proposal(&request.proposal_id).await?;
        if proposal.proposed_by == operator.identity() {
            return Err(errors::own_proposal(&proposal.proposal_id));
        }
        self.decide(operator, &proposal, true).await?;
        let done = self.carry_out(operator, &proposal).await;
        if let Err(error) = done {
            self.store.reopen_proposal(&proposal.proposal_id).await?;
            return Err(error);
        }
        let proposal = self.proposal(&request.proposal_id).await?;
        Ok(proto::ApproveProposalResponse {
            proposal: Some(self.shown(&proposal)),
        })
    }

    pub(super) async fn reject_proposal(
        &self,
        caller: &Caller,
        request: proto::RejectProposalRequest,
    ) -> Result<proto::RejectProposalResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let proposal = self.open_proposal(&request.proposal_id).await?;
        self.decide(operator, &proposal, false).await?;
        let proposal = self.proposal(&request.proposal_id).await?;
        Ok(proto::RejectProposalResponse {
            proposal: Some(self.shown(&proposal)),
        })
    }

    async fn proposal(&self, proposal_id: &str) -> Result<Proposal, ApiError> {
        let found = self.store.proposal(proposal_id).await?;
        found.ok_or_else(|| errors::not_found("proposal", proposal_id))
    }

    /// A proposal that can still be decided.
    async fn open_proposal(&self, proposal_id: &str) -> Result<Proposal, ApiError> {
        let proposal = self.proposal(proposal_id).await?;
        let how = match proposal.state(self.clock.now()) {
            ProposalState::Open => return Ok(proposal),
            ProposalState::Approved => "approved already",
            ProposalState::Rejected => "rejected already",
            ProposalState::Expired => "expired; propose it again",
        };
        let what = format!("the proposal is {how}");
        Err(errors::precondition("PROPOSAL_CLOSED", what))
    }

    async fn decide(
        &self,
        operator: Operator<'_>,
        proposal: &Proposal,
        approved: bool,
    ) -> Result<(), ApiError> {
        let now = self.clock.now();
        let decision = Decision {
            approved,
            by: operator.identity().to_owned(),
            at: now,
        };
        let action = if approved {
            "approve_proposal"
        } else {
            "reject_proposal"
        };
        let subject = format!("proposal:{}", proposal.proposal_id);
        let before = format!("proposed by {}: {}", proposal.proposed_by, proposal.summary);
        let after = if approved { "approved" } else { "rejected" };
        let audit = operator.audit(now, (action, subject, (&before, after)));
        let decided = self
            .store
            .decide_proposal(&proposal.proposal_id, &decision, &audit)
            .await?;
        match decided {
            true => Ok(()),
            false => Err(errors::changed_meanwhile("proposal")),
        }
    }

    /// Does what was proposed. The record of it names the one who approved, and the one who proposed.
    async fn carry_out(&self, operator: Operator<'_>, proposal: &Proposal) -> Result<(), ApiError> {
        let reason = format!("{} (proposed by {})", proposal.reason, proposal.proposed_by);
        let operator = operator.because(&reason);
        match &proposal.change {
            ProposedChange::AdoptCursor { database, position } => {
                let adoption = self.plan_adoption(operator, database, *position).await?;
                self.adopt(operator, &adoption).await
            }
            ProposedChange::DismissHold { hold_id } => self.dismiss(operator, hold_id).await,
        }
    }

    fn shown(&self, proposal: &Proposal) -> proto::Proposal {
        let decision = proposal.decision.as_ref();
        proto::Proposal {
            proposal_id: proposal.proposal_id.clone(),
            action: proposal.change.action().to_owned(),
            subject: proposal.change.subject(),
            summary: proposal.summary.clone(),
            proposed_by: proposal.proposed_by.clone(),
            reason: proposal.reason.clone(),
            proposed_at: Some(timestamp(proposal.proposed_at)),
            expires_at: Some(timestamp(proposal.expires_at)),
            state: proposal.state(self.clock.now()).to_proto().into(),
            decided_by: decision.map(|one| one.by.clone()).unwrap_or_default(),
            decided_at: decision.map(|one| timestamp(one.at)),
        }
    }
}
