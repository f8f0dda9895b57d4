//! A person releases a transfer to settlement.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::access::Caller;

use super::Api;
use super::errors::{self, ApiError};
use super::operator::Operator;

impl Api {
    pub(super) async fn release_to_settlement(
        &self,
        caller: &Caller,
        request: proto::ReleaseToSettlementRequest,
    ) -> Result<proto::ReleaseToSettlementResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        if request.transfer_id.is_empty() {
            return Err(errors::invalid("transfer_id", "must not be empty"));
        }
        let ready_at = self
            .settlement
            .release(&request.transfer_id, operator.identity())
            .await?;
        let after = ready_at.to_rfc3339();
        let subject = format!("transfer:{}", request.transfer_id);
        let change = ("release_to_settlement", subject, ("", &*after));
        let audit = operator.audit(self.clock.now(), change);
        self.store.record_audit(&audit).await?;
        Ok(proto::ReleaseToSettlementResponse {
            ready_to_settle_at: Some(timestamp(ready_at)),
        })
    }
}
