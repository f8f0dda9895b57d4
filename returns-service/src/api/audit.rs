//! The audit log, and what the service logs.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use echeck_service::access::Caller;
use echeck_service::telemetry;
use returns_model::audit::{AuditEntry, AuditFilter};
use returns_model::ids::hex;

use super::errors::{self, ApiError};
use super::operator::Operator;
use super::{Api, answer, convert_webhook, page};

impl Api {
    pub(super) async fn list_audit(
        &self,
        request: proto::ListAuditRequest,
    ) -> Result<proto::ListAuditResponse, ApiError> {
        let size = page::size(request.page_size);
        let given = |text: &str| page::given(text).map(str::to_owned);
        let filter = AuditFilter {
            identity: given(&request.identity),
            action: given(&request.action),
            subject: given(&request.subject),
            request_id: given(&request.request_id),
            since: convert_webhook::optional_time("start_time", request.start_time)?,
            until: convert_webhook::optional_time("end_time", request.end_time)?,
            before: page::place(&request.page_token)?,
        };
        let found = self.store.audit(&filter, size).await?;
        let place = |last: &AuditEntry| last.position;
        let end = page::next(&found, size, place);
        let (records, next_page_token) =
            answer::page(found, end, place, |entry| Some(record(entry)));
        Ok(proto::ListAuditResponse {
            records,
            next_page_token,
        })
    }

    pub(super) async fn get_log_filter(
        &self,
        _: proto::GetLogFilterRequest,
    ) -> Result<proto::GetLogFilterResponse, ApiError> {
        let filter = telemetry::filter().unwrap_or_default();
        Ok(proto::GetLogFilterResponse { filter })
    }

    pub(super) async fn set_log_filter(
        &self,
        caller: &Caller,
        request: proto::SetLogFilterRequest,
    ) -> Result<proto::SetLogFilterResponse, ApiError> {
        let operator = Operator::with_reason(caller, &request.request_id, &request.reason)?;
        let before = telemetry::filter()
            .ok_or_else(|| errors::precondition("NO_LOG", "this process does not log by itself"))?;
        let after =
            telemetry::set_filter(&request.filter).map_err(|why| errors::invalid("filter", why))?;
        let change = ("set_log_filter", "log".to_owned(), (&*before, &*after));
        let audit = operator.audit(self.clock.now(), change);
        self.store.record_audit(&audit).await?;
        Ok(proto::SetLogFilterResponse {
            previous_filter: before,
        })
    }
}

fn record(entry: AuditEntry) -> proto::AuditRecord {
    let record = entry.record;
    proto::AuditRecord {
        position: entry.position,
        record_hash: hex(entry.hash.as_bytes()),
        at: Some(timestamp(record.at)),
        identity: record.identity,
        address: record.address,
        request_id: record.request_id,
        action: record.action,
        subject: record.subject,
        before: record.before,
        after: record.after,
        reason: record.reason,
        outcome: record.outcome,
    }
}
