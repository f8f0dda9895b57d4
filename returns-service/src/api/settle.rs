//! A person makes a transfer ready to settle.

use echeck_proto::returns::v1 as proto;
use returns_feed::timestamp;
use tonic::Status;

use super::jobs::who;
use super::{Api, errors};

impl Api {
    pub(super) async fn mark_ready_to_settle(
        &self,
        request: proto::MarkReadyToSettleRequest,
    ) -> Result<proto::MarkReadyToSettleResponse, Status> {
        let who = who(&request.actor, &request.reason)?;
        if request.transfer_id.is_empty() {
            return Err(errors::invalid("transfer_id", "must not be empty"));
        }
        let ready_at = self
            .settlement
            .mark(&request.transfer_id, who.actor)
            .await
            .map_err(|error| errors::of_mark(&error))?;
        let after = ready_at.to_rfc3339();
        let audit = self.audit_record(
            &who,
            "mark_ready_to_settle",
            &request.transfer_id,
            ("", &after),
        );
        let kept = self.store.record_audit(&audit).await;
        kept.map_err(|error| errors::of_store(&error))?;
        Ok(proto::MarkReadyToSettleResponse {
            ready_to_settle_at: Some(timestamp(ready_at)),
        })
    }
}
