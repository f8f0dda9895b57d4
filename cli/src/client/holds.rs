//! `echeck holds`: entries that wait, and what a person does about them.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;
use proto::resolve_hold_request::Action;

use super::connect::{request, returns};
use super::{Common, Failure, HoldAction, exit, json, money};
use crate::output::{Table, print_line};

pub(super) async fn list(all: bool, common: &Common) -> Result<u8, Failure> {
    let mut client = returns(common).await?;
    let states: &[proto::HoldState] = if all {
        &[
            proto::HoldState::Open,
            proto::HoldState::Resolved,
            proto::HoldState::Duplicate,
            proto::HoldState::Dismissed,
        ]
    } else {
        &[proto::HoldState::Open]
    };
    let mut holds = Vec::new();
    for state in states {
        let mut ask = proto::ListHoldsRequest {
            state: (*state).into(),
            page_size: 500,
            ..proto::ListHoldsRequest::default()
        };
        loop {
            let answer = client
                .list_holds(request(common, ask.clone()))
                .await?
                .into_inner();
            holds.extend(answer.holds);
            if answer.next_page_token.is_empty() {
                break;
            }
            ask.page_token = answer.next_page_token;
        }
    }
    if common.json {
        for hold in &holds {
            print_line(&json::hold(hold).to_string())?;
        }
        return Ok(exit::FINE);
    }
    if holds.is_empty() {
        print_line("Nothing waits.")?;
        return Ok(exit::FINE);
    }
    table(&holds).print()?;
    Ok(exit::FINE)
}

/// Holds for people.
pub(crate) fn table(holds: &[proto::Hold]) -> Table {
    let mut table = Table::new(&["HOLD", "STATE", "REASON", "CODE", ">AMOUNT", "DETAIL"]);
    for hold in holds {
        table.row(vec![
            hold.hold_id.clone(),
            json::hold_state(hold),
            json::reason(hold),
            hold.code.clone(),
            hold.amount_minor.map(money::amount).unwrap_or_default(),
            hold.detail.clone(),
        ]);
    }
    table
}

pub(super) async fn act(action: HoldAction) -> Result<u8, Failure> {
    let (hold_id, who, action) = match action {
        HoldAction::Retry {
            hold_id,
            transfer,
            who,
        } => {
            let retry = proto::RetryHold {
                transfer_id: transfer.unwrap_or_default(),
            };
            (hold_id, who, Action::Retry(retry))
        }
        HoldAction::Dismiss { hold_id, who } => {
            (hold_id, who, Action::Dismiss(proto::DismissHold {}))
        }
    };
    let ask = proto::ResolveHoldRequest {
        hold_id,
        actor: who.actor,
        note: who.note,
        action: Some(action),
    };
    let common = &who.common;
    let answer = returns(common)
        .await?
        .resolve_hold(request(common, ask))
        .await?
        .into_inner();
    let hold = answer.hold.context("the service sent no hold")?;
    if common.json {
        print_line(&json::hold(&hold).to_string())?;
    } else {
        table(std::slice::from_ref(&hold)).print()?;
    }
    Ok(if hold.state() == proto::HoldState::Open {
        exit::LOOK
    } else {
        exit::FINE
    })
}
