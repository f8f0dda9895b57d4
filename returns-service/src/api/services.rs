//! The calls of all services. Each is handed to the method of its name, in the file that has its
//! subject; what is wrong with it is an [`ApiError`](super::errors::ApiError) until here.

use echeck_proto::returns::v1 as proto;
use echeck_service::access::Caller;
use proto::incident_service_server::IncidentService;
use proto::operations_service_server::OperationsService;
use proto::returns_service_server::ReturnsService;
use proto::webhook_service_server::WebhookService;
use tonic::{Request, Response, Status, Streaming};

use super::requests::{AfterCrash, Repeatable};
use super::stream::ResponseStream;
use super::{Api, IncidentApi, WebhookApi, door};

/// Implements a service: its calls with one message each way, and in braces the others. `any` call is
/// the same for everybody, an `own` one depends on who calls, and a `change` can be repeated.
macro_rules! serve {
    ($service:ident for $api:ident:
        $($kind:ident $call:ident($request:ident) -> $response:ident;)+
        $({ $($streaming:tt)+ })?
    ) => {
        #[tonic::async_trait]
        impl $service for $api {
            $(async fn $call(
                &self,
                request: Request<proto::$request>,
            ) -> Result<Response<proto::$response>, Status> {
                let answer = handled!($kind, $api::$call(self, request: $request));
                Ok(Response::new(answer?))
            })+

            $($($streaming)+)?
        }

        $(repeatable!($kind $request);)+
    };
}

/// How a call of a kind is handled.
macro_rules! handled {
    (any, $api:ident::$call:ident($self:ident, $request:ident: $type:ident)) => {{
        let message = door::admit($request.into_inner())?;
        $api::$call($self, message).await
    }};
    (own, $api:ident::$call:ident($self:ident, $request:ident: $type:ident)) => {{
        let caller = Caller::of($request.extensions());
        let message = door::admit($request.into_inner())?;
        $api::$call($self, &caller, message).await
    }};
    (change, $api:ident::$call:ident($self:ident, $request:ident: $type:ident)) => {{
        let caller = Caller::of($request.extensions());
        let message = door::admit($request.into_inner())?;
        let kind = (stringify!($call), AfterCrash::Tell);
        let work = $api::$call($self, &caller, message.clone());
        $self.requests.run(&caller, kind, &message, work).await
    }};
}

/// Only a change has an id of its request.
macro_rules! repeatable {
    (any $request:ident) => {};
    (own $request:ident) => {};
    (change $request:ident) => {
        impl Repeatable for proto::$request {
            fn request_id(&self) -> &str {
                &self.request_id
            }
        }
    };
}

serve! { ReturnsService for Api:
    any get_import(GetImportRequest) -> GetImportResponse;
    any list_rejected_lines(ListRejectedLinesRequest) -> ListRejectedLinesResponse;
    any list_imports(ListImportsRequest) -> ListImportsResponse;
    own get_transfer(GetTransferRequest) -> GetTransferResponse;
    own batch_get_transfers(BatchGetTransfersRequest) -> BatchGetTransfersResponse;
    own get_return(GetReturnRequest) -> GetReturnResponse;
    own list_returns(ListReturnsRequest) -> ListReturnsResponse;
    any list_dishonorable_returns(ListDishonorableReturnsRequest) -> ListDishonorableReturnsResponse;
    any get_hold(GetHoldRequest) -> GetHoldResponse;
    any list_holds(ListHoldsRequest) -> ListHoldsResponse;
    change resolve_hold(ResolveHoldRequest) -> ResolveHoldResponse;
    change retry_holds(RetryHoldsRequest) -> RetryHoldsResponse;
    {
        async fn import_file(
            &self,
            request: Request<Streaming<proto::ImportFileRequest>>,
        ) -> Result<Response<proto::ImportFileResponse>, Status> {
            let caller = Caller::of(request.extensions());
            let answer = Api::import_file(self, &caller, request.into_inner()).await?;
            Ok(Response::new(answer))
        }

        type WatchImportStream = ResponseStream<proto::WatchImportResponse>;

        async fn watch_import(
            &self,
            request: Request<proto::WatchImportRequest>,
        ) -> Result<Response<Self::WatchImportStream>, Status> {
            Ok(Response::new(Api::watch_import(self, request).await?))
        }

        type StreamReturnsStream = ResponseStream<proto::StreamReturnsResponse>;

        async fn stream_returns(
            &self,
            request: Request<proto::StreamReturnsRequest>,
        ) -> Result<Response<Self::StreamReturnsStream>, Status> {
            Ok(Response::new(Api::stream_returns(self, request).await?))
        }

        type GetReportStream = ResponseStream<proto::GetReportResponse>;

        async fn get_report(
            &self,
            request: Request<proto::GetReportRequest>,
        ) -> Result<Response<Self::GetReportStream>, Status> {
            Ok(Response::new(Api::get_report(self, request).await?))
        }
    }
}

serve! { OperationsService for Api:
    any get_status(GetStatusRequest) -> GetStatusResponse;
    change adopt_cursor(AdoptCursorRequest) -> AdoptCursorResponse;
    change skip_journal_rows(SkipJournalRowsRequest) -> SkipJournalRowsResponse;
    any list_journal(ListJournalRequest) -> ListJournalResponse;
    change retry_import(RetryImportRequest) -> RetryImportResponse;
    any list_sources(ListSourcesRequest) -> ListSourcesResponse;
    change run_job(RunJobRequest) -> RunJobResponse;
    change set_schedule(SetScheduleRequest) -> SetScheduleResponse;
    change pause_source(PauseSourceRequest) -> PauseSourceResponse;
    change resume_source(ResumeSourceRequest) -> ResumeSourceResponse;
    any list_job_runs(ListJobRunsRequest) -> ListJobRunsResponse;
    any get_job_run(GetJobRunRequest) -> GetJobRunResponse;
    any list_audit(ListAuditRequest) -> ListAuditResponse;
    any list_proposals(ListProposalsRequest) -> ListProposalsResponse;
    change approve_proposal(ApproveProposalRequest) -> ApproveProposalResponse;
    change reject_proposal(RejectProposalRequest) -> RejectProposalResponse;
    any get_log_filter(GetLogFilterRequest) -> GetLogFilterResponse;
    change set_log_filter(SetLogFilterRequest) -> SetLogFilterResponse;
    change release_to_settlement(ReleaseToSettlementRequest) -> ReleaseToSettlementResponse;
    any diagnose(DiagnoseRequest) -> DiagnoseResponse;
    {
        type VerifyJournalStream = ResponseStream<proto::VerifyJournalResponse>;

        async fn verify_journal(
            &self,
            request: Request<proto::VerifyJournalRequest>,
        ) -> Result<Response<Self::VerifyJournalStream>, Status> {
            Ok(Response::new(Api::verify_journal(self, &request)))
        }
    }
}

serve! { IncidentService for IncidentApi:
    any list_incidents(ListIncidentsRequest) -> ListIncidentsResponse;
    any get_incident(GetIncidentRequest) -> GetIncidentResponse;
    change acknowledge_incident(AcknowledgeIncidentRequest) -> AcknowledgeIncidentResponse;
    change close_incident(CloseIncidentRequest) -> CloseIncidentResponse;
    change send_test_alert(SendTestAlertRequest) -> SendTestAlertResponse;
}

serve! { WebhookService for WebhookApi:
    change create_endpoint(CreateEndpointRequest) -> CreateEndpointResponse;
    change update_endpoint(UpdateEndpointRequest) -> UpdateEndpointResponse;
    change rotate_secret(RotateSecretRequest) -> RotateSecretResponse;
    change disable_endpoint(DisableEndpointRequest) -> DisableEndpointResponse;
    change enable_endpoint(EnableEndpointRequest) -> EnableEndpointResponse;
    any list_endpoints(ListEndpointsRequest) -> ListEndpointsResponse;
    any get_endpoint(GetEndpointRequest) -> GetEndpointResponse;
    any list_deliveries(ListDeliveriesRequest) -> ListDeliveriesResponse;
    own list_events(ListEventsRequest) -> ListEventsResponse;
    change replay(ReplayRequest) -> ReplayResponse;
    change recover(RecoverRequest) -> RecoverResponse;
    change send_test_event(SendTestEventRequest) -> SendTestEventResponse;
}
