//! `echeck log`: what the service logs.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::arguments::OptionalChange;
use super::connect::Client;
use crate::failure::Failure;
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
    #[command(flatten)]
    change: OptionalChange,
}

pub(super) async fn run(arguments: LogArguments, service: &Client) -> Result<u8, Failure> {
    let LogArguments {
        filter,
        reset,
        change,
    } = arguments;
    if filter.is_none() && !reset {
        let ask = proto::GetLogFilterRequest {};
        let answer = service.operations().get_log_filter(ask).await?;
        return service.show(&answer.into_inner(), |answer| {
            writeln!(out(), "{}", answer.filter)
        });
    }
    let ask = proto::SetLogFilterRequest {
        filter: filter.unwrap_or_default(),
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.operations().set_log_filter(ask).await?;
    service.show(&answer.into_inner(), |answer| {
        writeln!(out(), "Changed. It was {}.", answer.previous_filter)
    })
}
