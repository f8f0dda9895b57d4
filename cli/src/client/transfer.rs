//! `echeck transfer`: a payment with everything that is known about its return.

use std::io;

use clap::{Args, ValueEnum};
use echeck_proto::returns::v1 as proto;
use proto::TransferView;
use proto::get_transfer_request::Key;

use super::connect::Client;
use super::{dishonorable, returns};
use crate::failure::{Failure, missing};
use crate::output::{Details, Screen, Tone, bold, counted, out};
use crate::words::{self, Words as _, money, plain, time};

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
    let transfer = transfer.ok_or_else(|| missing("transfer"))?;
    service.show(&transfer, print)
}

fn print(transfer: &proto::Transfer) -> io::Result<()> {
    let (kind, state) = (plain(&transfer.r#type), plain(&transfer.state));
    let state = state_tone(&transfer.state).paint(&state, Screen::of_stdout());
    let amount = money(transfer.amount_minor, &transfer.currency);
    let id = bold(&transfer.id);
    writeln!(out(), "{id}  {kind}  {amount}  {state}")?;
    let mut details = Details::new();
    details.add("trace id", &transfer.trace_id);
    details.add("merchant", &transfer.merchant_identity);
    details.add("created", time(transfer.created_at.as_ref()));
    for message in &transfer.messages {
        details.add("message", message);
    }
    details.add("parent", &transfer.parent_id);
    details.add("reversals", transfer.reversal_ids.join(", "));
    for hold in &transfer.open_hold_ids {
        details.add_in(Tone::Attention, "open hold", hold);
    }
    match &transfer.ach_return {
        None => details.add("return", "none known"),
        Some(found) => add_return(found, &mut details),
    }
    details.print()
}

/// A state as gateways and platforms spell it.
fn state_tone(state: &str) -> Tone {
    match state {
        "SUCCEEDED" => Tone::Good,
        "FAILED" | "RETURNED" | "CANCELED" => Tone::Bad,
        _ => Tone::Attention,
    }
}

fn add_return(found: &proto::AchReturn, details: &mut Details) {
    let effect = found.effect().words();
    details.add("return", format!("{} ({effect})", found.ach_return_id));
    let code = format!("{} {}", found.return_code, returns::title(found));
    details.add("code", code.trim());
    if !found.return_title.is_empty() {
        details.add("meaning", &found.return_description);
    }
    details.add("bank's text", &found.acquirer_text);
    details.add("stage", found.stage().words());
    details.add("return settled", &found.settlement_date);
    details.add("original settled", &found.original_settlement_date);
    let (deadline, tone) = deadline(found);
    details.add_in(tone, "deadline", deadline);
    details.add("present again", found.representment().words());
    details.add("presented", presented(found));
    details.add("present again until", &found.represent_until);
    details.add(
        "what to do",
        words::recommended_action(&found.recommended_action),
    );
    details.add("account", words::account_effect(&found.account_effect));
    for field in &found.corrected_fields {
        details.add(&format!("correct {}", plain(&field.field)), &field.value);
    }
    for ground in &found.dishonor_grounds {
        let name = dishonorable::name(ground);
        let (until, why) = (&ground.last_day, &ground.explanation);
        details.add("may be dishonored", format!("{name} until {until}: {why}"));
    }
    details.add("from", format!("{} line {}", found.import_id, found.line));
    for one in &found.databases {
        details.add_in(one.state().tone(), &one.database, one.state().words());
    }
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

/// The last day on which the return was timely, and whether it was.
fn deadline(found: &proto::AchReturn) -> (String, Tone) {
    match (found.deadline.as_str(), found.timeliness()) {
        ("", _) => (String::new(), Tone::Plain),
        (day, proto::Timeliness::PastDeadline) => {
            (format!("{day} (the return came later)"), Tone::Bad)
        }
        (day, proto::Timeliness::InTime) => (format!("{day} (met)"), Tone::Plain),
        (day, proto::Timeliness::Unspecified) => (day.to_owned(), Tone::Plain),
    }
}
