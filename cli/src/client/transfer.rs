//! `echeck transfer`: a payment with everything that is known about its return.

use std::io;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use echeck_proto::returns::v1 as proto;
use proto::TransferView;
use proto::get_transfer_request::Key;

use super::connect::Client;
use super::{Failure, Words as _, amount, dishonorable};
use crate::output::{bold, counted, out};

/// Which transfer to show, and how.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck transfer TR0001\n  echeck transfer --trace FNX0001 --json\n  \
    echeck transfer TR0001 --view rainforest --api-version 2023-12-01\n\n\
    Exit codes: 0 found, 4 there is no such transfer"
)]
pub(crate) struct TransferArguments {
    /// The transfer's id.
    #[arg(required_unless_present = "trace")]
    transfer_id: Option<String>,
    /// The id given to the acquirer, instead of the transfer's id.
    #[arg(long, conflicts_with = "transfer_id")]
    trace: Option<String>,
    /// Show it as this platform does, instead of as the gateway has it.
    #[arg(long, value_enum)]
    view: Option<ViewArgument>,
    /// The version of the platform's API, such as 2024-10-16. Required for rainforest.
    #[arg(long, requires = "view")]
    api_version: Option<String>,
}

/// The platform whose view of a payment is shown.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
enum ViewArgument {
    /// As Finix shows it.
    Finix = TransferView::Finix as i32,
    /// As Rainforest shows it in the version of --api-version.
    Rainforest = TransferView::Rainforest as i32,
}

pub(super) async fn run(arguments: TransferArguments, service: &Client) -> Result<u8, Failure> {
    let ask = proto::GetTransferRequest {
        key: arguments
            .trace
            .map(Key::TraceId)
            .or(arguments.transfer_id.map(Key::TransferId)),
        view: arguments.view.map_or(0, |view| view as i32),
        api_version: arguments.api_version.unwrap_or_default(),
    };
    let answer = service.returns().get_transfer(ask).await?;
    let transfer = answer.into_inner().transfer;
    let transfer = transfer.context("the service sent no transfer")?;
    service.show(&transfer, print)
}

/// Prints a line with a label, unless the value is empty.
fn line(label: &str, value: &str) -> io::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    writeln!(out(), "  {label:<22} {value}")
}

fn print(transfer: &proto::Transfer) -> io::Result<()> {
    writeln!(
        out(),
        "{}",
        bold(&format!(
            "{}  {} {}  {} {}",
            transfer.id,
            transfer.r#type,
            transfer.state,
            amount(transfer.amount_minor),
            transfer.currency
        ))
    )?;
    line("trace id", &transfer.trace_id)?;
    line("merchant", &transfer.merchant_identity)?;
    for message in &transfer.messages {
        line("message", message)?;
    }
    line("parent", &transfer.parent_id)?;
    line("reversals", &transfer.reversal_ids.join(", "))?;
    line("open holds", &transfer.open_hold_ids.join(", "))?;
    match &transfer.ach_return {
        None => line("return", "none known"),
        Some(found) => print_return(found),
    }
}

fn print_return(found: &proto::AchReturn) -> io::Result<()> {
    let effect = found.effect().words();
    line("return", &format!("{} ({effect})", found.ach_return_id))?;
    let code = format!("{} {}", found.return_code, found.return_title);
    line("code", &code)?;
    line("meaning", &found.return_description)?;
    line("bank's text", &found.acquirer_text)?;
    line("stage", &found.stage().words())?;
    line("return settled", &found.settlement_date)?;
    line("original settled", &found.original_settlement_date)?;
    line("deadline", &deadline(found))?;
    line("present again", &found.representment().words())?;
    line("presented", &presented(found))?;
    line("present again until", &found.represent_until)?;
    line("advice", &found.recommended_action)?;
    line("account", &found.account_effect)?;
    for ground in &found.dishonor_grounds {
        let name = dishonorable::name(ground);
        let (until, why) = (&ground.last_day, &ground.explanation);
        line("may be dishonored", &format!("{name} until {until}: {why}"))?;
    }
    line("from", &format!("{} line {}", found.import_id, found.line))?;
    for one in &found.databases {
        line(&one.database, &one.state().words())?;
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
    let times = counted(used.into(), "time", "times");
    let left = found.represent_attempts_left;
    let left = left.map_or_else(String::new, |left| format!(", {most}{left} left"));
    format!("{least}{times}{left}")
}

fn deadline(found: &proto::AchReturn) -> String {
    match (found.deadline.as_str(), found.timeliness()) {
        ("", _) => String::new(),
        (day, proto::Timeliness::PastDeadline) => format!("{day} (the return came later)"),
        (day, proto::Timeliness::InTime) => format!("{day} (met)"),
        (day, proto::Timeliness::Unspecified) => day.to_owned(),
    }
}
