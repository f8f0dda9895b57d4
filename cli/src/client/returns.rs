//! `echeck returns`: returns and corrections as they stand.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::connect::{Client, pages};
use super::show::or_dash;
use super::{Failure, Words as _, amount};
use crate::output::Columns;

/// Which returns to list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck returns --code R01\n  echeck returns --import imp_… --json"
)]
pub(crate) struct ReturnArguments {
    /// Only of this import.
    #[arg(long, default_value = "", hide_default_value = true)]
    import: String,
    /// Only with this code.
    #[arg(long, default_value = "", hide_default_value = true)]
    code: String,
    /// The maximum number of returns.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub(super) async fn run(arguments: ReturnArguments, service: &Client) -> Result<u8, Failure> {
    let found = pages(arguments.limit, async |page_size, page_token| {
        let ask = proto::ListReturnsRequest {
            import_id: arguments.import.clone(),
            return_code: arguments.code.clone(),
            page_size,
            page_token,
            ..Default::default()
        };
        let answer = service.returns().list_returns(ask).await?;
        let answer = answer.into_inner();
        Ok((answer.ach_returns, answer.next_page_token))
    });
    service.show_all(&found.await?, "No returns.", columns)
}

fn columns(one: &proto::AchReturn) -> Columns {
    let reason = if one.return_title.is_empty() {
        &one.return_description
    } else {
        &one.return_title
    };
    vec![
        ("RETURN", one.ach_return_id.to_string()),
        ("CODE", or_dash(&one.return_code)),
        ("EFFECT", one.effect().words()),
        ("TRANSFER", one.transfer_id.to_string()),
        (">AMOUNT", amount(one.amount_minor)),
        ("REASON", reason.to_string()),
    ]
}
