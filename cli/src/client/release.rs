//! `echeck release`: a reversal or a restoration may join a settlement.

use clap::Args;
use echeck_proto::returns::v1 as proto;

use super::arguments::Change;
use super::connect::Client;
use crate::failure::Failure;
use crate::output::out;
use crate::words::time;

/// What to release.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck release TR5b1c0f --reason 'the merchant asked for it'\n\n\
    Exit codes: 0 released, 4 the service created no such transfer, 1 failed"
)]
pub(crate) struct ReleaseArguments {
    /// The id of the reversal or the restoration.
    transfer_id: String,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(
    ReleaseArguments {
        transfer_id: id,
        change,
    }: ReleaseArguments,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::ReleaseToSettlementRequest {
        transfer_id: id.clone(),
        request_id: change.request.request_id,
        reason: change.reason,
    };
    let answer = service.operations().release_to_settlement(ask).await?;
    service.show(&answer.into_inner(), |answer| {
        let at = time(answer.ready_to_settle_at.as_ref());
        writeln!(out(), "{id} may join a settlement since {at}.")
    })
}
