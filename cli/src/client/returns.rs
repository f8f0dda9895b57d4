//! `echeck returns`: returns and corrections as they stand.

use clap::{Args, ValueEnum};
use echeck_proto::returns::v1 as proto;
use proto::Effect;

use super::arguments::{Amounts, Period};
use super::connect::{Client, pages};
use super::show::or_dash;
use crate::failure::Failure;
use crate::output::{Columns, field};
use crate::words::{Words as _, money, time};

/// Which returns to list.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Filters",
    after_help = "Examples:\n  echeck returns --code R01\n  echeck returns --import imp_… --json\n  \
    echeck returns --merchant MU7xq --effect reverse --since 2026-01-05 --min-amount 500"
)]
pub(crate) struct ReturnArguments {
    /// Only of this import.
    #[arg(long, default_value = "", hide_default_value = true)]
    import: String,
    /// Only of this transfer.
    #[arg(long, default_value = "", hide_default_value = true)]
    transfer: String,
    /// Only with this code.
    #[arg(long, default_value = "", hide_default_value = true)]
    code: String,
    /// Only of payments of this merchant's identity.
    #[arg(long, default_value = "", hide_default_value = true)]
    merchant: String,
    /// Only what was decided in this way.
    #[arg(long, value_enum)]
    effect: Option<EffectArgument>,
    #[command(flatten)]
    decided: Period,
    #[command(flatten)]
    amounts: Amounts,
    /// The maximum number of returns.
    #[arg(long, default_value_t = 50, help_heading = "Output")]
    limit: u32,
}

/// What was decided about an entry.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
enum EffectArgument {
    /// The payment failed.
    Fail = Effect::Fail as i32,
    /// Returned before it was funded.
    Return = Effect::Return as i32,
    /// Returned after it was funded.
    Reverse = Effect::Reverse as i32,
    /// A notification of change.
    Correct = Effect::Correct as i32,
    /// The return was dishonored.
    Restore = Effect::Restore as i32,
    /// The dishonor was contested.
    Reapply = Effect::Reapply as i32,
}

pub(super) async fn run(arguments: ReturnArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListReturnsRequest {
            import_id: arguments.import.clone(),
            transfer_id: arguments.transfer.clone(),
            return_code: arguments.code.clone(),
            merchant_identity: arguments.merchant.clone(),
            effect: arguments.effect.map_or(0, |effect| effect as i32),
            decided_from: arguments.decided.since,
            decided_before: arguments.decided.until,
            min_amount_minor: arguments.amounts.min_amount,
            max_amount_minor: arguments.amounts.max_amount,
            page_size,
            page_token,
        };
        let answer = service.returns().list_returns(ask).await?.into_inner();
        Ok((answer.ach_returns, answer.next_page_token))
    });
    service.show_list(&found.await?, "No returns.", columns)
}

fn columns(one: &proto::AchReturn) -> Columns {
    vec![
        field("TRANSFER", &one.transfer_id),
        field("CODE", or_dash(&one.return_code)),
        field("EFFECT", one.effect().words()),
        field("AMOUNT", money(one.amount_minor, &one.currency)).right(),
        field("DECIDED", time(one.decided_at.as_ref())).extra(1),
        field("REASON", title(one)).text(),
        field("RETURN", &one.ach_return_id).extra(2),
    ]
}

/// The official title of the code, or what the service says where there is none.
pub(super) fn title(one: &proto::AchReturn) -> &str {
    match one.return_title.as_str() {
        "" => &one.return_description,
        title => title,
    }
}
