//! `echeck proposals`: changes that wait for a second person.

use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;

use super::arguments::{Change, OptionalChange};
use super::connect::{Client, pages};
use crate::failure::{Failure, missing};
use crate::output::{Columns, field, out};
use crate::words::{Words as _, time};

/// What to do with proposals.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck proposals\n  echeck proposals approve prop_5b1c0f\n  echeck proposals reject prop_5b1c0f --reason 'not before Monday'"
)]
pub(crate) struct ProposalArguments {
    #[command(subcommand)]
    action: Option<ProposalAction>,
    /// Also list those that were decided, or have expired.
    #[arg(long)]
    all: bool,
    /// The maximum number of proposals.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

/// What to do with one.
#[derive(Debug, Subcommand)]
enum ProposalAction {
    /// Agree to what somebody else has proposed, and do it.
    Approve {
        /// Its id.
        proposal_id: String,
        #[command(flatten)]
        change: OptionalChange,
    },
    /// Reject one.
    Reject {
        /// Its id.
        proposal_id: String,
        #[command(flatten)]
        change: Change,
    },
}

pub(super) async fn run(
    ProposalArguments { action, all, limit }: ProposalArguments,
    service: &Client,
) -> Result<u8, Failure> {
    match action {
        None => list(all, limit, service).await,
        Some(ProposalAction::Approve {
            proposal_id,
            change,
        }) => {
            let ask = proto::ApproveProposalRequest {
                proposal_id,
                request_id: change.request.request_id,
                reason: change.reason,
            };
            let answer = service.operations().approve_proposal(ask).await?;
            decided(answer.into_inner().proposal, service)
        }
        Some(ProposalAction::Reject {
            proposal_id,
            change,
        }) => {
            let ask = proto::RejectProposalRequest {
                proposal_id,
                request_id: change.request.request_id,
                reason: change.reason,
            };
            let answer = service.operations().reject_proposal(ask).await?;
            decided(answer.into_inner().proposal, service)
        }
    }
}

async fn list(all: bool, limit: u32, service: &Client) -> Result<u8, Failure> {
    let state = match all {
        true => proto::ProposalState::Unspecified,
        false => proto::ProposalState::Open,
    };
    let proposals = pages(limit, async |page_size, page_token| {
        let ask = proto::ListProposalsRequest {
            state: state.into(),
            page_size,
            page_token,
        };
        let answer = service.operations().list_proposals(ask).await?.into_inner();
        Ok((answer.proposals, answer.next_page_token))
    })
    .await?;
    service.show_list(&proposals, "Nothing waits for a second person.", columns)
}

fn decided(proposal: Option<proto::Proposal>, service: &Client) -> Result<u8, Failure> {
    let proposal = proposal.ok_or_else(|| missing("proposal"))?;
    service.show(&proposal, |proposal| {
        let (id, state) = (&proposal.proposal_id, proposal.state().words());
        writeln!(out(), "{id} is {state}: {}", proposal.summary)
    })
}

/// Says that a change waits for a second person.
pub(super) fn print_proposed(proposal_id: &str) -> std::io::Result<()> {
    writeln!(
        out(),
        "Nothing is done yet: a second person must approve it within a day, with"
    )?;
    out().command(&format!("echeck proposals approve {proposal_id}"))
}

fn columns(proposal: &proto::Proposal) -> Columns {
    let state = proposal.state();
    vec![
        field("PROPOSAL", &proposal.proposal_id),
        field("STATE", state.words()).tone(state.tone()),
        field("WHAT", &proposal.summary).text(),
        field("PROPOSED BY", &proposal.proposed_by).text().extra(1),
        field("UNTIL", time(proposal.expires_at.as_ref())),
        field("WHY", &proposal.reason).text().extra(2),
        field("DECIDED BY", &proposal.decided_by).text().extra(3),
    ]
}
