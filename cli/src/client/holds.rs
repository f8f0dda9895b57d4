//! `echeck holds`: entries that wait, and what a person does about them.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use echeck_proto::returns::v1 as proto;
use proto::HoldState;
use proto::resolve_hold_request::Action as Resolution;

use super::connect::{Client, pages};
use super::{Failure, Note, Words as _, amount, exit};
use crate::output::Columns;

/// Which holds to list, or what to do with one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck holds\n  echeck holds retry hold_… --transfer TR0001\n  \
    echeck holds dismiss hold_… --note 'the bank sent it by mistake'",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct HoldArguments {
    #[command(subcommand)]
    action: Option<HoldAction>,
    /// Also list closed ones.
    #[arg(long)]
    all: bool,
}

/// What to do with a hold.
#[derive(Debug, Subcommand)]
enum HoldAction {
    /// Look the entry up and decide it again.
    Retry {
        /// The hold.
        hold_id: String,
        /// Decide it for this transfer, instead of looking its ids up.
        #[arg(long, default_value = "", hide_default_value = true)]
        transfer: String,
        #[command(flatten)]
        note: Note,
    },
    /// Close it without effect.
    Dismiss {
        /// The hold.
        hold_id: String,
        #[command(flatten)]
        note: Note,
    },
}

pub(super) async fn run(arguments: HoldArguments, service: &Client) -> Result<u8, Failure> {
    match arguments.action {
        None => list(arguments.all, service).await,
        Some(HoldAction::Retry {
            hold_id,
            transfer: transfer_id,
            note,
        }) => {
            let retry = proto::RetryHold { transfer_id };
            resolve(hold_id, Resolution::RetryHold(retry), note, service).await
        }
        Some(HoldAction::Dismiss { hold_id, note }) => {
            let dismiss = Resolution::DismissHold(proto::DismissHold {});
            resolve(hold_id, dismiss, note, service).await
        }
    }
}

async fn list(all: bool, service: &Client) -> Result<u8, Failure> {
    let states: &[HoldState] = if all {
        &[
            HoldState::Open,
            HoldState::Resolved,
            HoldState::Duplicate,
            HoldState::Dismissed,
        ]
    } else {
        &[HoldState::Open]
    };
    let mut holds = Vec::new();
    for state in states {
        let found = pages(u32::MAX, async |page_size, page_token| {
            let ask = proto::ListHoldsRequest {
                state: (*state).into(),
                page_size,
                page_token,
                ..Default::default()
            };
            let answer = service.returns().list_holds(ask).await?;
            let answer = answer.into_inner();
            Ok((answer.holds, answer.next_page_token))
        });
        holds.extend(found.await?);
    }
    let none = if all { "No holds." } else { "No open holds." };
    service.show_all(&holds, none, columns)
}

/// Holds for people.
pub(crate) fn columns(hold: &proto::Hold) -> Columns {
    vec![
        ("HOLD", hold.hold_id.to_string()),
        ("STATE", hold.state().words()),
        ("REASON", hold.reason().words()),
        ("CODE", hold.code.to_string()),
        (">AMOUNT", hold.amount_minor.map(amount).unwrap_or_default()),
        ("DETAIL", hold.detail.to_string()),
    ]
}

async fn resolve(
    hold_id: String,
    action: Resolution,
    note: Note,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::ResolveHoldRequest {
        hold_id,
        actor: note.actor,
        note: note.note,
        action: Some(action),
    };
    let answer = service.returns().resolve_hold(ask).await?;
    let hold = answer.into_inner().hold;
    let hold = hold.context("the service sent no hold")?;
    service.show_all(std::slice::from_ref(&hold), "", columns)?;
    Ok(exit::ok_if(
        hold.state() != HoldState::Open,
        exit::NEEDS_ATTENTION,
    ))
}
