//! `echeck dishonorable`: returns that our bank may dishonor, and until when.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::connect::{Client, pages};
use super::show::or_dash;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Columns, Tone, field};
use crate::words::money;

/// Which returns to list.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Filters",
    after_help = "Examples:\n  echeck dishonorable\n  echeck dishonorable --all --import imp_…\n  \
    echeck dishonorable --json | jq -r .transfer_id\n\n\
    CODE is R61 (misrouted), R67 (duplicate), R68 (untimely) or R69 (wrong fields, listed by \
    number). LEFT is the number of banking days after today. docs/dishonor.md says what to do.\n\n\
    Exit codes: 0 nothing is open, 2 something is, 1 failed, 5 deadline passed"
)]
pub(crate) struct DishonorableArguments {
    /// Also list those whose last day is past.
    #[arg(long)]
    all: bool,
    /// Only of this import.
    #[arg(long, default_value = "", hide_default_value = true)]
    import: String,
    /// Only of this transfer.
    #[arg(long, default_value = "", hide_default_value = true)]
    transfer: String,
}

pub(super) async fn run(arguments: DishonorableArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(u32::MAX, async |page_size, page_token| {
        let ask = proto::ListDishonorableReturnsRequest {
            open_only: !arguments.all,
            import_id: arguments.import.clone(),
            transfer_id: arguments.transfer.clone(),
            page_size,
            page_token,
        };
        let answer = service
            .returns()
            .list_dishonorable_returns(ask)
            .await?
            .into_inner();
        Ok((answer.dishonorable_returns, answer.next_page_token))
    })
    .await?;
    service.show_list(&found, "No dishonorable returns.", columns)?;
    let open = found.items.iter().any(|one| one.banking_days_left >= 0);
    Ok(exit::ok_if(!open, exit::NEEDS_ATTENTION))
}

fn columns(one: &proto::DishonorableReturn) -> Columns {
    let names: Vec<String> = one.grounds.iter().map(name).collect();
    let why: Vec<&str> = one
        .grounds
        .iter()
        .map(|ground| &*ground.explanation)
        .collect();
    let record = if one.ach_return_id.is_empty() {
        &one.hold_id
    } else {
        &one.ach_return_id
    };
    let amount = one.amount_minor.map(|minor| money(minor, &one.currency));
    let tone = match one.banking_days_left {
        ..0 => Tone::Quiet,
        0..=1 => Tone::Bad,
        2.. => Tone::Attention,
    };
    vec![
        field("UNTIL", &one.last_day),
        field("LEFT", one.banking_days_left).right().tone(tone),
        field("CODE", names.join(", ")),
        field("RETURN", &one.return_code),
        field("AMOUNT", amount.unwrap_or_default()).right(),
        field("TRANSFER", or_dash(&one.transfer_id)),
        field("WHY", why.join("; ")).text().extra(1),
        field("RETURN OR HOLD", or_dash(record)).extra(2),
    ]
}

/// The code, with its fields where it has some: `R69 03*06`.
pub(super) fn name(ground: &proto::DishonorGround) -> String {
    format!("{} {}", ground.code, ground.fields)
        .trim_end()
        .to_owned()
}
