//! `echeck log`: what the service logs.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::connect::Client;
use super::{Failure, RequestId};
use crate::output::out;

/// What to log.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck log\n  echeck log info,returns_feed=debug --reason 'the feed is slow'\n  echeck log --reset --reason done"
)]
pub(crate) struct LogArguments {
    /// Levels and targets with commas between them; without it, what is logged now is shown.
    filter: Option<String>,
    /// Log what the configuration says again.
    #[arg(long, conflicts_with = "filter")]
    reset: bool,
    /// Why; recorded in the audit log.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    request: RequestId,
}

pub(super) async fn run(arguments: LogArguments, service: &Client) -> Result<u8, Failure> {
    let LogArguments {
        filter,
        reset,
        reason,
        request: RequestId { request_id },
    } = arguments;
    if filter.is_none() && !reset {
        let answer = service.operations();
        let answer = { answer }
            .get_log_filter(proto::GetLogFilterRequest {})
            .await?;
        return service.show(&answer.into_inner(), |answer| {
            writeln!(out(), "{}", answer.filter)
        });
    }
    let ask = proto::SetLogFilterRequest {
        filter: filter.unwrap_or_default(),
        request_id,
        reason,
    };
    let answer = service.operations().set_log_filter(ask).await?;
    service.show(&answer.into_inner(), |answer| {
        writeln!(out(), "changed; it was {}", answer.previous_filter)
    })
}
