//! `echeck ready`: a reversal may join a settlement.

use echeck_proto::returns::v1 as proto;

use super::connect::{operations, request};
use super::{Because, Failure, exit, json};
use crate::output::print_line;

pub(super) async fn run(transfer_id: String, because: Because) -> Result<u8, Failure> {
    let Because {
        actor,
        reason,
        common,
    } = because;
    let ask = proto::MarkReadyToSettleRequest {
        transfer_id: transfer_id.clone(),
        actor,
        reason,
    };
    let answer = operations(&common)
        .await?
        .mark_ready_to_settle(request(&common, ask))
        .await?
        .into_inner();
    let at = json::time(answer.ready_to_settle_at.as_ref());
    if common.json {
        let said = serde_json::json!({ "transfer_id": transfer_id, "ready_to_settle_at": at });
        print_line(&said.to_string())?;
    } else {
        let at = at.as_str().unwrap_or("now").to_owned();
        print_line(&format!("{transfer_id} is ready to settle since {at}."))?;
    }
    Ok(exit::FINE)
}
