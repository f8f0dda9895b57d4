//! `echeck transfer`: a payment with everything known of its return.

use anyhow::Context as _;
use echeck_proto::returns::v1 as proto;
use proto::get_transfer_request::Key;

use super::connect::{request, returns};
use super::{Common, Failure, dishonorable, exit, json, money};
use crate::output::{bold, print_line};

/// Whose view of a payment.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum View {
    /// As Finix shows it.
    Finix,
    /// As Rainforest shows it in the version of --api-version.
    Rainforest,
}

/// How a payment is shown.
pub(super) struct Shown {
    pub(super) view: Option<View>,
    pub(super) api_version: Option<String>,
}

pub(super) async fn run(
    transfer_id: Option<String>,
    trace: Option<String>,
    shown: Shown,
    common: &Common,
) -> Result<u8, Failure> {
    let key = match (transfer_id, trace) {
        (_, Some(trace)) => Some(Key::TraceId(trace)),
        (Some(id), None) => Some(Key::TransferId(id)),
        // clap asks for one of the two.
        (None, None) => None,
    };
    let ask = proto::GetTransferRequest {
        key,
        view: match shown.view {
            None => proto::TransferView::Unspecified,
            Some(View::Finix) => proto::TransferView::Finix,
            Some(View::Rainforest) => proto::TransferView::Rainforest,
        }
        .into(),
        api_version: shown.api_version.unwrap_or_default(),
    };
    let answer = returns(common)
        .await?
        .get_transfer(request(common, ask))
        .await?
        .into_inner();
    let transfer = answer.transfer.context("the service sent no transfer")?;
    if common.json {
        print_line(&json::transfer(&transfer).to_string())?;
    } else {
        show(&transfer)?;
    }
    Ok(exit::FINE)
}

fn show(transfer: &proto::Transfer) -> Result<(), Failure> {
    let line = |label: &str, value: &str| -> Result<(), Failure> {
        if value.is_empty() {
            return Ok(());
        }
        Ok(print_line(&format!("  {label:<22} {value}"))?)
    };
    print_line(&bold(&format!(
        "{}  {} {}  {} {}",
        transfer.id,
        transfer.r#type,
        transfer.state,
        money::amount(transfer.amount_minor),
        transfer.currency
    )))?;
    line("trace id", &transfer.trace_id)?;
    line("merchant", &transfer.merchant_identity)?;
    for message in &transfer.messages {
        line("message", message)?;
    }
    line("parent", &transfer.parent_id)?;
    line("reversals", &transfer.reversal_ids.join(", "))?;
    line("open holds", &transfer.open_hold_ids.join(", "))?;
    let Some(found) = &transfer.ach_return else {
        return line("return", "none known");
    };
    line(
        "return",
        &format!("{} ({})", found.ach_return_id, json::effect(found)),
    )?;
    line(
        "code",
        &format!("{} {}", found.return_code, found.return_title),
    )?;
    line("meaning", &found.return_description)?;
    line("bank's words", &found.acquirer_text)?;
    line(
        "stage",
        &json::name(found.stage().as_str_name(), "ACH_RETURN_STAGE_"),
    )?;
    line("return settled", &found.settlement_date)?;
    line("original settled", &found.original_settlement_date)?;
    line("deadline", &deadline(found))?;
    line(
        "present again",
        &json::name(found.representment().as_str_name(), "REPRESENTMENT_"),
    )?;
    line("presented", &presented(found))?;
    line("present again until", &found.represent_until)?;
    line("advice", &found.recommended_action)?;
    line("account", &found.account_effect)?;
    for ground in &found.dishonor_grounds {
        let name = dishonorable::name(ground);
        let (until, why) = (&ground.last_day, &ground.why);
        line("may be dishonored", &format!("{name} until {until}: {why}"))?;
    }
    line("from", &format!("{} line {}", found.import_id, found.line))?;
    for one in &found.databases {
        line(&one.database, &json::database_state(one.state()))?;
    }
    Ok(())
}

/// How often the payment was presented, and how often it still may be.
fn presented(found: &proto::AchReturn) -> String {
    let Some(used) = found.represent_attempts_used else {
        return String::new();
    };
    let (least, most) = if found.represent_attempts_are_bounds {
        ("at least ", "at most ")
    } else {
        ("", "")
    };
    let times = if used == 1 { "time" } else { "times" };
    let left = found.represent_attempts_left;
    let left = left.map_or_else(String::new, |left| format!(", {most}{left} left"));
    format!("{least}{used} {times}{left}")
}

fn deadline(found: &proto::AchReturn) -> String {
    match (found.deadline.as_str(), found.timeliness()) {
        ("", _) => String::new(),
        (day, proto::Timeliness::PastDeadline) => format!("{day} (the return came after it)"),
        (day, proto::Timeliness::InTime) => format!("{day} (kept)"),
        (day, proto::Timeliness::Unspecified) => day.to_owned(),
    }
}
