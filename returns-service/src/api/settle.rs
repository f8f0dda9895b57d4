//! A person releases a transfer to settlement.

use echeck_proto::returns::v1 as proto;
use returns_feed::timestamp;

use super::Api;
use super::errors::{self, ApiError};
use super::jobs::who;

impl Api {
    pub(super) async fn release(
        &self,
        request: proto::ReleaseToSettlementRequest,
    ) -> Result<proto::ReleaseToSettlementResponse, ApiError> {
        let who = who(&request.actor, &request.reason)?;
        if request.transfer_id.is_empty() {
            return Err(errors::invalid("transfer_id", "must not be empty"));
        }
        let ready_at = self
            .settlement
            .mark(&request.transfer_id, who.actor)
            .await?;
        let after = ready_at.to_rfc3339();
        let audit = self.audit_record(
            &who,
            "release_to_settlement",
            &request.transfer_id,
            ("", &after),
        );
        let kept = self.store.record_audit(&audit).await;
        kept?;
        Ok(proto::ReleaseToSettlementResponse {
            ready_to_settle_at: Some(timestamp(ready_at)),
        })
    }
}
